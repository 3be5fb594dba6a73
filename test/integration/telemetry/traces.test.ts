import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../../proxy/canonical/clock.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import type { Log, LogFields } from '../../../proxy/telemetry/log.ts';
import { createTraces, type Traces } from '../../../proxy/telemetry/traces.ts';
import { failOverOnce, failureOf, makeAttempt, newAttempt, newTrail } from '../../proxy/telemetry/trails.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';

const parent = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const traceparent = `00-${parent.traceId}-${parent.spanId}-01`;

let receiver: OtlpReceiver;
let said: { readonly fields: LogFields; readonly message: string }[];

function newLog(): Log {
  const say = (fields: LogFields, message: string): void => void said.push({ fields, message });
  const log: Log = { debug: say, info: say, warn: say, error: say, child: () => log };
  return log;
}

async function start(serviceName?: string, timers = systemClock): Promise<Traces | undefined> {
  return await createTraces({
    endpoint: receiver.url,
    serviceName,
    proxyId: 'proxy-a',
    version: '1.2.3',
    clock: timers,
    log: newLog(),
  });
}

async function started(serviceName?: string): Promise<Traces> {
  return (await start(serviceName)) ?? expect.unreachable('traces are off');
}

function span(name: string): ReceivedSpan {
  return receiver.spans.find((candidate) => candidate.name === name) ?? expect.unreachable(`no span ${name}`);
}

beforeEach(async () => {
  said = [];
  receiver = await startOtlpReceiver();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
  vi.stubEnv('OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
});

describe('spans that a collector receives', () => {
  it('are one of the request below the caller’s, and one of each attempt below that', async () => {
    const traces = await started();
    failOverOnce(traces.observer, { traceparent, tracestate: 'vendor=1' });
    await traces.shutdown();
    expect(receiver.spans).toHaveLength(3);
    const request = span('POST team-a/chat');
    expect(request).toMatchObject({
      traceId: parent.traceId,
      parentSpanId: parent.spanId,
      kind: 2,
      traceState: 'vendor=1',
    });
    expect(request).toMatchObject({ startMs: 10_000, endMs: 12_000, status: {} });
    for (const attempt of receiver.spans.filter(({ kind }) => kind === 3)) {
      expect(attempt).toMatchObject({ traceId: parent.traceId, parentSpanId: request.spanId });
    }
  });

  it('say who sent them, as OTEL_* wish, and nothing of the command line', async () => {
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'service.name=from-attributes,team=a');
    for (const serviceName of [undefined, 'from-its-own-variable']) {
      const traces = await started(serviceName);
      failOverOnce(traces.observer);
      await traces.shutdown();
    }
    const [first, second] = receiver.spans.filter(({ kind }) => kind === 2).map(({ resource }) => resource);
    expect(first).toMatchObject({ 'service.name': 'from-attributes', 'service.version': '1.2.3', team: 'a' });
    expect(second).toMatchObject({ 'service.name': 'from-its-own-variable', 'service.instance.id': 'proxy-a' });
    expect(Object.keys(first ?? {}).filter((name) => /^(process|host|os)\./.test(name))).toEqual([]);
  });

  it('speak the semantic conventions', async () => {
    const traces = await started();
    failOverOnce(traces.observer);
    await traces.shutdown();
    const [failed, answered] = receiver.spans
      .filter(({ kind }) => kind === 3)
      .toSorted((a, b) => a.startMs - b.startMs);
    expect(failed).toMatchObject({
      name: 'chat gpt-4o-upstream',
      status: { code: 2, message: 'ServerError' },
      endMs: 10_200,
      attributes: {
        'gen_ai.provider.name': 'azure.ai.openai',
        'http.response.status_code': 503,
        'error.type': 'ServerError',
      },
    });
    expect(answered).toMatchObject({ startMs: 10_200, endMs: 12_000, status: {}, events: ['first content'] });
    expect(answered?.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o-upstream',
      'gen_ai.request.stream': true,
      'gen_ai.response.time_to_first_chunk': 0.4,
      'gen_ai.usage.input_tokens': 11,
      'gen_ai.usage.output_tokens': 7,
      'gen_ai.usage.cache_read.input_tokens': 3,
      'http.request.resend_count': 1,
      'http.response.status_code': 200,
      'sluice.backend': 'team-a/chat/openai',
      'sluice.provider': 'team-a/openai',
      'sluice.upstream_key': 'team-a/openai-key',
    });
    expect(span('POST team-a/chat').attributes).toMatchObject({
      'http.request.method': 'POST',
      'url.path': '/v1/chat/completions',
      'http.response.status_code': 200,
      'gen_ai.request.model': 'gpt-4o',
      'sluice.route': 'team-a/chat',
      'sluice.outcome': 'answered',
      'sluice.attempts': 2,
    });
  });

  it('are continued by the upstream, through the headers that the attempt returns', async () => {
    const traces = await started();
    const trail = newTrail({ traceparent, tracestate: 'vendor=1', protocol: 'openai-chat' });
    traces.observer.requestStarted?.(trail);
    const headers = traces.observer.attemptStarted?.(trail, newAttempt('openai'));
    traces.observer.requestEnded?.(trail);
    await traces.shutdown();
    const attempt = span('chat gpt-4o-upstream');
    expect(headers).toEqual({ traceparent: `00-${parent.traceId}-${attempt.spanId}-01`, tracestate: 'vendor=1' });
  });

  it('are none where the caller decided not to sample, but the upstream still hears of the trace', async () => {
    const traces = await started();
    const trail = newTrail({ traceparent: traceparent.replace(/01$/, '00') });
    traces.observer.requestStarted?.(trail);
    const headers = traces.observer.attemptStarted?.(trail, newAttempt('openai'));
    traces.observer.requestEnded?.(trail);
    await traces.shutdown();
    expect(receiver.spans).toEqual([]);
    expect(headers?.['traceparent']).toMatch(new RegExp(`^00-${parent.traceId}-[0-9a-f]{16}-00$`));
  });

  it('start a new trace where the caller names none, or a broken one', async () => {
    const traces = await started();
    failOverOnce(traces.observer, { traceparent: 'nonsense', tracestate: 'vendor=1' });
    await traces.shutdown();
    const request = span('POST team-a/chat');
    expect(request.parentSpanId).toBeUndefined();
    expect(request.traceState || undefined).toBeUndefined();
  });

  it('say what went wrong, also after content, and also when nothing was ever tried', async () => {
    const traces = await started();
    const truncated = newTrail({ protocol: 'openai-responses', route: 'team-a/truncated' });
    traces.observer.requestStarted?.(truncated);
    makeAttempt(traces.observer, truncated, newAttempt('openai'), {
      status: 200,
      firstContentAtMs: 10_100,
      endedAtMs: 10_300,
      failure: failureOf('Truncated'),
    });
    Object.assign(truncated, {
      status: 200,
      outcome: 'failed-in-band',
      errorCode: 'stream_truncated',
      endedAtMs: 10_300,
    });
    traces.observer.requestEnded?.(truncated);
    const refused = newTrail({ method: 'BREW', status: 404, outcome: 'refused', errorCode: 'route_not_found' });
    traces.observer.requestStarted?.(refused);
    traces.observer.requestEnded?.(refused);
    await traces.shutdown();
    const bad = { code: 2, message: 'stream_truncated' };
    expect(span('POST team-a/truncated')).toMatchObject({
      status: bad,
      attributes: { 'error.type': 'stream_truncated' },
    });
    expect(span('chat gpt-4o-upstream')).toMatchObject({ status: { code: 2, message: 'Truncated' } });
    expect(span('HTTP')).toMatchObject({
      status: {},
      attributes: { 'http.request.method': '_OTHER', 'sluice.error': 'route_not_found' },
    });
  });

  it('hold no credential that a client pasted in the wrong place', async () => {
    const pasted = ['sk', 'proj', 'Ab12Cd34Ef56Gh78'].join('-');
    const traces = await started();
    failOverOnce(traces.observer, { path: `/v1/${pasted}`, id: pasted });
    await traces.shutdown();
    expect(receiver.spans).toHaveLength(3);
    expect(receiver.bodies.join('')).not.toContain(pasted);
  });
});

describe('traces', () => {
  it('can be started again after a shutdown', async () => {
    for (let round = 1; round <= 2; round += 1) {
      const traces = await started();
      failOverOnce(traces.observer);
      await traces.shutdown();
      expect(receiver.spans).toHaveLength(3 * round);
    }
  });

  it('stay off, and say so, where OpenTelemetry’s own variables switch them off', async () => {
    vi.stubEnv('OTEL_SDK_DISABLED', 'true');
    expect(await start()).toBeUndefined();
    expect(said.map(({ message }) => message)).toEqual([
      'traces are off: OpenTelemetry did not start, or its variables say so',
    ]);
  });

  it('never keep a process waiting for a collector that does not answer', async () => {
    const silent = await startOtlpReceiver({ silent: true });
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', silent.url);
    const hurried: Clock = { ...systemClock, setTimer: (delayMs, fire) => systemClock.setTimer(delayMs / 100, fire) };
    const traces = (await start(undefined, hurried)) ?? expect.unreachable('traces are off');
    failOverOnce(traces.observer);
    const startedAt = performance.now();
    await traces.shutdown();
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await silent.close();
  });

  it('cost nothing without an endpoint: OpenTelemetry is not even loaded', async () => {
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ resolve(name, context, next) { loaded.push(name); return next(name, context); } });
      const { createTraces } = await import(${JSON.stringify(new URL('../../../proxy/telemetry/traces.ts', import.meta.url).href)});
      const options = { version: '1', proxyId: 'a', serviceName: undefined, clock: undefined, log: undefined };
      const off = [await createTraces({ ...options, endpoint: undefined }), await createTraces({ ...options, endpoint: '' })];
      console.log(JSON.stringify({ off: off.map((traces) => traces === undefined), loaded }));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    const { off, loaded } = JSON.parse(stdout) as { off: boolean[]; loaded: string[] };
    expect(off).toEqual([true, true]);
    expect(loaded.length).toBeGreaterThan(3);
    expect(loaded.filter((name) => name.includes('opentelemetry'))).toEqual([]);
  });
});
