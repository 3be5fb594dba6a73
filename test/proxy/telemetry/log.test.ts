import { describe, expect, it } from 'vitest';
import { describeError } from '../../../proxy/telemetry/error-facts.ts';
import { createLog, type Log, type LogLevel } from '../../../proxy/telemetry/log.ts';
import { createScrubber, redacted } from '../../../proxy/telemetry/redaction.ts';

const canary = 'CANARY-upstream-7d0f6c1e';

function newLog(level: LogLevel = 'info'): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const scrubber = createScrubber();
  scrubber.setSecrets([canary]);
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createLog({ level, destination, scrubber }), lines };
}

function only(lines: readonly string[]): Record<string, unknown> {
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

describe('a line of the log', () => {
  it('is one line of JSON with level, time and message', () => {
    const { log, lines } = newLog();
    log.child({ room: 'state' }).warn({ proxies: 3 }, 'store is down');
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    const { time, ...rest } = only(lines);
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(rest).toEqual({ level: 'warn', room: 'state', proxies: 3, msg: 'store is down' });
  });

  it('stays one line whatever is put into it', () => {
    const { log, lines } = newLog();
    const nasty = 'x\n{"level":"fatal","msg":"forged"}\r\n\u001b[2J';
    log.info({ model: nasty, [nasty]: 1 }, nasty);
    expect(lines.join('').match(/\p{Control}/gu)).toEqual(['\n']);
    expect(only(lines)['model']).toBe(nasty);
  });

  it('is written only at its level or above', () => {
    const { log, lines } = newLog('warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    expect(lines).toHaveLength(2);
  });

  it('never holds a configured credential: not in message, fields, names, errors or their causes', () => {
    const { log, lines } = newLog();
    const root = new Error(`socket to ${canary} closed`);
    const error = new TypeError(`sent ${canary}`, {
      cause: new AggregateError([new Error(canary)], canary, { cause: root }),
    });
    Object.assign(error, { code: `E_${canary}`, request: { headers: { authorization: canary } } });
    log.error(
      { error, [canary]: 1, nested: { list: [canary, { deep: new Map([[canary, canary]]) }] } },
      `failed: ${canary}`,
    );
    log.child({ key: canary }).info({ thrown: { toString: () => canary } }, 'x');
    expect(lines.join('')).not.toContain(canary);
    expect(lines.join('')).toContain(redacted);
  });

  it('never holds a member that is secret by its name', () => {
    const { log, lines } = newLog();
    log.info({ headers: { 'X-Api-Key': 'abc', accept: '*/*' }, authorization: 'abc' }, 'x');
    expect(only(lines)).toMatchObject({ headers: { 'X-Api-Key': redacted, accept: '*/*' }, authorization: redacted });
  });

  it('copes with object graphs: deep, wide, circular, binary', () => {
    const { log, lines } = newLog();
    const circular: Record<string, unknown> = { buffer: Buffer.from('secret'), big: 10n };
    circular['self'] = circular;
    log.info({ circular, wide: Array.from({ length: 1000 }, (_, index) => index) }, 'x');
    const line = only(lines);
    expect(line['wide']).toHaveLength(50);
    expect(line['circular']).toMatchObject({ buffer: '[object Uint8Array]', big: '10' });
  });
});

describe('an error in the log', () => {
  const same = (text: string): string => text;

  it('has type, code, message, the first frames and its causes, three deep', () => {
    let error = new Error('level 9');
    for (let level = 8; level >= 0; level -= 1) error = new Error(`level ${level}`, { cause: error });
    const facts = describeError(Object.assign(error, { code: 'ECONNRESET' }), same);
    expect(facts).toMatchObject({ type: 'Error', code: 'ECONNRESET', message: 'level 0' });
    expect(facts.stack?.length).toBeLessThanOrEqual(6);
    expect(facts.cause?.cause?.cause?.message).toBe('level 3');
    expect(facts.cause?.cause?.cause?.cause).toBeUndefined();
  });

  it('leaves out the text that JSON.parse failed on, which may be a prompt', () => {
    for (const text of ['tell me a secret', '{"messages": "tell me a secret', '[1, tell me a secret]']) {
      try {
        JSON.parse(text);
        expect.unreachable();
      } catch (error) {
        expect(JSON.stringify(describeError(error, same))).not.toMatch(/secret|tell me/);
      }
    }
  });

  it('is bounded, and describes what is no error at all', () => {
    expect(describeError(new Error('x'.repeat(100_000)), same).message.length).toBeLessThan(1100);
    expect(describeError('text', same)).toEqual({ type: 'string', message: 'text' });
    expect(describeError({ body: 'prompt' }, same)).toEqual({ type: 'object', message: '[object Object]' });
    expect(describeError(undefined, same)).toEqual({ type: 'undefined', message: 'undefined' });
  });
});
