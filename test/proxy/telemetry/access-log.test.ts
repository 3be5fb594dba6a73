import { describe, expect, it } from 'vitest';
import { createAccessLog } from '../../../proxy/telemetry/access-log.ts';
import type { LogLevel } from '../../../proxy/telemetry/log.ts';
import { failOverOnce, newTrail, stoppedClock } from './trails.ts';

function newAccessLog(lines: string[], enabled = true, level: LogLevel = 'info') {
  return createAccessLog({
    enabled,
    level,
    clock: stoppedClock,
    destination: { write: (line) => void lines.push(line) },
  });
}

describe('the access log', () => {
  it('writes one line per request, with everything that is known', () => {
    const lines: string[] = [];
    failOverOnce(newAccessLog(lines) ?? expect.unreachable(), {
      rule: 'default',
      clientKey: 'team-a/app',
      tenant: 'team-a',
    });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: '1970-01-01T00:00:12.000Z',
      id: 'request-1',
      method: 'POST',
      path: '/v1/chat/completions',
      protocol: 'openai-chat',
      route: 'team-a/chat',
      rule: 'default',
      clientKey: 'team-a/app',
      tenant: 'team-a',
      model: 'gpt-4o',
      stream: true,
      status: 200,
      outcome: 'answered',
      durationMs: 2000,
      firstContentMs: 600,
      backend: 'team-a/chat/openai',
      upstreamModel: 'gpt-4o-upstream',
      upstreamKey: 'team-a/openai-key',
      attempts: 2,
      failures: ['azure: ServerError'],
      inputTokens: 11,
      outputTokens: 7,
      cachedTokens: 3,
      msg: 'request',
    });
  });

  it('is not there unless it is wanted, so that it costs nothing', () => {
    expect(newAccessLog([], false)).toBeUndefined();
    expect(newAccessLog([], true, 'warn')).toBeUndefined();
    expect(newAccessLog([], true, 'debug')).toBeDefined();
  });

  it('stays one bounded line, and drops credentials that stand in the wrong place', () => {
    const lines: string[] = [];
    const pasted = ['sk', 'proj', 'Ab12Cd34Ef56'].join('-');
    const trail = newTrail({
      id: 'a\n{"level":"info"}',
      path: `/v1/\r\n\u001b[2J/${pasted}/${'x'.repeat(10_000)}`,
      requestModel: `m\u009b ${pasted}`,
      status: 404,
      outcome: 'refused',
      errorCode: 'route_not_found',
    });
    newAccessLog(lines)?.requestEnded?.(trail);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(pasted);
    expect(lines[0]?.match(/\p{Control}/gu)).toEqual(['\n']);
    expect(lines[0]?.length).toBeLessThan(800);
  });
});
