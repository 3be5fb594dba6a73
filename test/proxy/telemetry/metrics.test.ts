import { describe, expect, it } from 'vitest';
import type { GatewayConfig } from '../../../proxy/config/schema.ts';
import type { DisableEntry } from '../../../proxy/state/store.ts';
import type { FactSources, TargetsFacts } from '../../../proxy/telemetry/fact-gauges.ts';
import { createMetrics, type Metrics } from '../../../proxy/telemetry/metrics.ts';
import { createGauge } from '../../../proxy/telemetry/series.ts';
import { failOverOnce, failureOf, makeAttempt, newAttempt, newTrail, stoppedClock } from './trails.ts';

const noTargets: TargetsFacts = { backends: [], keys: [] };

function newMetrics(sources: Partial<FactSources> = {}): Metrics {
  return createMetrics({
    clock: stoppedClock,
    version: '1.2.3',
    proxyId: 'proxy-a',
    sources: {
      targets: () => noTargets,
      config: () => ({}),
      store: () => ({ kind: 'memory', state: 'ok', sinceMs: 4000, proxies: 1, detail: undefined }),
      overload: () => ({ shedShare: 0, shed: {} }),
      ...sources,
    },
  });
}

/** As much of a configuration as metrics look at. */
function configOf(routes: Readonly<Record<string, readonly string[]>>): GatewayConfig {
  const entries = Object.entries(routes).map(([id, backends]) => ({
    id,
    rules: [{ backends: backends.map((name) => ({ name })) }],
  }));
  return { routes: entries } as unknown as GatewayConfig;
}

async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const { body } = await metrics.render();
  const lines = body
    .toString()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('metrics of requests', () => {
  it('count a request with its route, protocol, status and outcome, and time it', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'] }));
    failOverOnce(metrics.observer);
    const found = await samples(metrics);
    expect(
      found.get('sluice_requests_total{route="team-a/chat",protocol="openai-chat",code="200",outcome="answered"}'),
    ).toBe(1);
    const seconds = 'sluice_request_duration_seconds';
    expect(found.get(`${seconds}_sum{route="team-a/chat",outcome="answered"}`)).toBe(2);
    expect(found.get(`${seconds}_bucket{route="team-a/chat",outcome="answered",le="1"}`)).toBe(0);
    expect(found.get(`${seconds}_bucket{route="team-a/chat",outcome="answered",le="2.5"}`)).toBe(1);
    expect(found.get(`${seconds}_bucket{route="team-a/chat",outcome="answered",le="+Inf"}`)).toBe(1);
    expect(found.get(`${seconds}_count{route="team-a/chat",outcome="answered"}`)).toBe(1);
    expect(found.get('sluice_request_time_to_first_content_seconds_sum{route="team-a/chat"}')).toBe(0.6);
  });

  it('count attempts, failures and the failover between backends', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'] }));
    failOverOnce(metrics.observer);
    const found = await samples(metrics);
    expect(found.get('sluice_attempts_total{route="team-a/chat",backend="azure",outcome="failure"}')).toBe(1);
    expect(found.get('sluice_attempts_total{route="team-a/chat",backend="openai",outcome="success"}')).toBe(1);
    expect(found.get('sluice_failures_total{route="team-a/chat",backend="azure",class="ServerError"}')).toBe(1);
    expect(found.get('sluice_failovers_total{route="team-a/chat",class="ServerError"}')).toBe(1);
    expect(found.get('sluice_attempt_time_to_first_content_seconds_sum{route="team-a/chat",backend="openai"}')).toBe(
      0.4,
    );
  });

  it('call it a retry when the backend stays, and say whether the key changed', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['openai'] }));
    const trail = newTrail({ route: 'team-a/chat' });
    const failed = { failure: failureOf('RateLimit'), endedAtMs: 10_100 };
    makeAttempt(metrics.observer, trail, newAttempt('openai', { key: 'team-a/one' }), failed);
    makeAttempt(metrics.observer, trail, newAttempt('openai', { key: 'team-a/two' }), failed);
    makeAttempt(metrics.observer, trail, newAttempt('openai', { key: 'team-a/two' }), failed);
    const found = await samples(metrics);
    expect(found.get('sluice_retries_total{route="team-a/chat",class="RateLimit",next="key"}')).toBe(1);
    expect(found.get('sluice_retries_total{route="team-a/chat",class="RateLimit",next="same"}')).toBe(1);
    expect([...found.keys()].some((name) => name.startsWith('sluice_failovers_total'))).toBe(false);
  });

  it('count the tokens for the backend whose answer the client got', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'] }));
    failOverOnce(metrics.observer);
    failOverOnce(metrics.observer);
    const found = await samples(metrics);
    const tokens = 'sluice_tokens_total{route="team-a/chat",backend="openai",type=';
    expect(found.get(`${tokens}"input"}`)).toBe(22);
    expect(found.get(`${tokens}"output"}`)).toBe(14);
    expect(found.get(`${tokens}"cached"}`)).toBe(6);
    expect(found.has(`${tokens}"reasoning"}`)).toBe(false);
  });

  it('survive an upstream that counts backwards or not at all', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['openai'] }));
    for (const inputTokens of [5, -3, Number.NaN, Number.POSITIVE_INFINITY]) {
      const trail = newTrail({ attempts: [newAttempt('openai', { usage: { inputTokens, outputTokens: 0 } })] });
      metrics.observer.requestEnded?.(trail);
    }
    const found = await samples(metrics);
    expect(found.get('sluice_tokens_total{route="team-a/chat",backend="openai",type="input"}')).toBe(5);
  });

  it('show what is in flight, and count errors that Sluice made', async () => {
    const metrics = newMetrics();
    const trail = newTrail();
    metrics.observer.requestStarted?.(trail);
    expect((await samples(metrics)).get('sluice_requests_in_flight')).toBe(1);
    Object.assign(trail, { status: 404, errorCode: 'route_not_found', outcome: 'refused', endedAtMs: 10_001 });
    metrics.observer.requestEnded?.(trail);
    const found = await samples(metrics);
    expect(found.get('sluice_requests_in_flight')).toBe(0);
    expect(found.get('sluice_requests_total{route="none",protocol="none",code="404",outcome="refused"}')).toBe(1);
    expect(found.get('sluice_errors_total{route="none",error="route_not_found"}')).toBe(1);
  });

  it('call an attempt that nobody waited for abandoned', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['openai'] }));
    makeAttempt(metrics.observer, newTrail({ route: 'team-a/chat' }), newAttempt('openai'), { status: 200 });
    const found = await samples(metrics);
    expect(found.get('sluice_attempts_total{route="team-a/chat",backend="openai",outcome="abandoned"}')).toBe(1);
  });

  it('do not take an empty answer, which never had content, for the fastest of all', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['openai'] }));
    const end = { status: 200, firstContentAtMs: 0, endedAtMs: 10_300 };
    makeAttempt(metrics.observer, newTrail({ route: 'team-a/chat' }), newAttempt('openai'), end);
    const found = await samples(metrics);
    expect(found.get('sluice_attempts_total{route="team-a/chat",backend="openai",outcome="success"}')).toBe(1);
    const firstContent = 'sluice_attempt_time_to_first_content_seconds_count{route="team-a/chat",backend="openai"}';
    expect(found.has(firstContent)).toBe(false);
  });

  it('count malformed frames per backend', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['openai'] }));
    metrics.malformedFrame('team-a/chat/openai');
    const found = await samples(metrics);
    expect(found.get('sluice_malformed_frames_total{route="team-a/chat",backend="openai"}')).toBe(1);
  });
});

describe('series', () => {
  it('do not grow with what clients and upstreams choose', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'] }));
    failOverOnce(metrics.observer);
    failOverOnce(metrics.observer, { route: 'nobody/knows', protocol: 'invented' });
    metrics.observer.requestEnded?.(
      newTrail({ status: 404, outcome: 'refused', route: 'nobody/knows', protocol: 'x' }),
    );
    metrics.observer.requestEnded?.(
      newTrail({ status: 418, outcome: 'refused', route: 'nobody/knows', protocol: 'x' }),
    );
    const before = (await samples(metrics)).size;
    for (let index = 0; index < 10_000; index += 1) {
      const noise = {
        path: `/p${index}`,
        route: `nobody/${index}`,
        protocol: `p${index}`,
        requestModel: `model-${index}`,
      };
      metrics.observer.requestEnded?.(newTrail({ ...noise, status: 404, outcome: 'refused' }));
      metrics.observer.requestEnded?.(newTrail({ ...noise, status: 430 + (index % 60), outcome: 'refused' }));
      const attempt = newAttempt('x', { backend: `nobody/${index}/x`, model: `model-${index}` });
      metrics.observer.attemptEnded?.(newTrail(), Object.assign(attempt, { failure: failureOf('ServerError') }));
    }
    const after = await samples(metrics);
    // The `other` backend's failure and its timings are all that may have come.
    expect(after.size - before).toBeLessThan(30);
    expect([...after.keys()].join('\n')).not.toContain('model-');
  });

  it('leave with the routes and backends that no configuration names, over ten thousand changes', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'] }));
    failOverOnce(metrics.observer);
    const before = (await samples(metrics)).size;
    for (let index = 0; index < 10_000; index += 1) {
      const route = `team-a/route-${index}`;
      metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'], [route]: ['only'] }));
      const trail = newTrail({ route, status: 200, outcome: 'answered', firstContentAtMs: 10_100, endedAtMs: 10_200 });
      const attempt = newAttempt('only', { backend: `${route}/only` });
      makeAttempt(metrics.observer, trail, attempt, { firstContentAtMs: 10_100, endedAtMs: 10_200 });
      metrics.observer.requestEnded?.(trail);
    }
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'] }));
    const after = await samples(metrics);
    expect(after.size).toBe(before);
    expect(after.get('sluice_config_changes_total{result="applied"}')).toBe(10_002);
  });

  it('keep counting where a changed configuration still names the route', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'] }));
    failOverOnce(metrics.observer);
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai', 'third'], 'team-b/new': [] }));
    failOverOnce(metrics.observer);
    const found = await samples(metrics);
    expect(found.get('sluice_failovers_total{route="team-a/chat",class="ServerError"}')).toBe(2);
  });

  it('count what ends after its route has left as "other"', async () => {
    const metrics = newMetrics();
    metrics.setConfig(configOf({ 'team-a/chat': ['azure', 'openai'] }));
    metrics.setConfig(configOf({}));
    failOverOnce(metrics.observer);
    const names = [...(await samples(metrics)).keys()].join('\n');
    expect(names).toContain('sluice_attempts_total{route="other",backend="other",outcome="success"}');
    expect(names).not.toContain('team-a/chat');
  });

  it('escape label values', async () => {
    const metrics = newMetrics();
    metrics.register(
      createGauge({ name: 'sluice_test', help: 'Test.', labelNames: ['a'], read: () => [[1, 'x"\\\ny']] }),
    );
    expect((await metrics.render()).body.toString()).toContain('sluice_test{a="x\\"\\\\\\ny"} 1\n');
  });

  it('cannot be registered twice under one name', () => {
    const metrics = newMetrics();
    const gauge = createGauge({ name: 'sluice_build_info', help: '', labelNames: [], read: () => [] });
    expect(() => metrics.register(gauge)).toThrow('two metrics sluice_build_info');
  });
});

describe('metrics of state', () => {
  it('show every target, and how many are disabled', async () => {
    const metrics = newMetrics({
      targets: () => ({
        backends: [
          { route: 'team-a/chat', name: 'azure', state: 'disabled', hard: true, inFlight: 2 },
          {
            route: 'team-a/chat',
            name: 'openai',
            state: 'trial',
            inFlight: 1,
            models: [{ state: 'disabled', hard: false }],
          },
        ],
        keys: [{ id: 'team-a/key', state: 'enabled' }],
      }),
    });
    const found = await samples(metrics);
    expect(found.get('sluice_backend_state{route="team-a/chat",backend="azure",state="disabled"}')).toBe(1);
    expect(found.get('sluice_backend_state{route="team-a/chat",backend="openai",state="trial"}')).toBe(1);
    expect(found.get('sluice_backend_requests_in_flight{route="team-a/chat",backend="azure"}')).toBe(2);
    expect(found.get('sluice_upstream_key_state{key="team-a/key",state="enabled"}')).toBe(1);
    expect(found.get('sluice_disabled_targets{kind="backend",hard="true"}')).toBe(1);
    expect(found.get('sluice_disabled_targets{kind="backend",hard="false"}')).toBe(0);
    expect(found.get('sluice_disabled_targets{kind="backend-model",hard="false"}')).toBe(1);
    expect(found.get('sluice_disabled_targets{kind="key",hard="true"}')).toBe(0);
  });

  it('count disables by kind, reason and who saw them', async () => {
    const metrics = newMetrics();
    const disable = (target: string, facts: Partial<DisableEntry> = {}): void => {
      const entry = { id: target, target, hard: false, sinceMs: 0, untilMs: 1, generation: 0, by: 'proxy-a' } as const;
      metrics.disableChanged({ target, entry: { ...entry, reason: 'Timeout', ...facts } });
    };
    const targets = [
      'backend:team-a/chat/azure',
      'backend:team-a/chat/azure#gpt',
      'key:team-a/one',
      'key:team-a/one#gpt',
    ];
    for (const target of targets) disable(target);
    // Reported again while it is in force, as when a hard disable of the same target ends: the same entry.
    disable('key:team-a/one', { hard: true, id: 'hard', reason: 'Manual' });
    disable('key:team-a/one');
    disable('key:x/y', { reason: 'Quota', by: 'proxy-b' });
    metrics.disableChanged({ target: 'key:x/y', entry: undefined });
    disable('key:x/y', { id: 'later', reason: 'Quota', by: 'proxy-b' });
    const found = await samples(metrics);
    for (const kind of ['backend', 'backend-model', 'key', 'key-model']) {
      expect(found.get(`sluice_disables_total{kind="${kind}",class="Timeout",origin="local"}`)).toBe(1);
    }
    expect(found.get('sluice_disables_total{kind="key",class="Quota",origin="shared"}')).toBe(2);
    expect(found.get('sluice_disables_total{kind="key",class="Manual",origin="local"}')).toBe(1);
  });

  it('show configuration and store', async () => {
    const metrics = newMetrics({
      config: () => ({
        revision: 42,
        digest: 'abc',
        className: 'default',
        servedSinceMs: 5000,
        lastRefusal: { atMs: 7000 },
      }),
      store: () => ({ kind: 'redis', state: 'down', sinceMs: 9000, proxies: 3, detail: 'gone' }),
    });
    metrics.configRefused();
    const found = await samples(metrics);
    expect(found.get('sluice_config_revision')).toBe(42);
    expect(found.get('sluice_config_info{class="default",digest="abc"}')).toBe(1);
    expect(found.get('sluice_config_applied_timestamp_seconds')).toBe(5);
    expect(found.get('sluice_config_last_refusal_timestamp_seconds')).toBe(7);
    expect(found.get('sluice_config_changes_total{result="refused"}')).toBe(1);
    expect(found.get('sluice_store_up{kind="redis"}')).toBe(0);
    expect(found.get('sluice_store_state_since_timestamp_seconds')).toBe(9);
    expect(found.get('sluice_proxies')).toBe(3);
    expect(found.get('sluice_build_info{version="1.2.3"}')).toBe(1);
  });

  it('are rendered once for scrapes that come together', async () => {
    let reads = 0;
    const metrics = newMetrics({
      targets: () => {
        reads += 1;
        return noTargets;
      },
    });
    const [one, other] = await Promise.all([metrics.render(), metrics.render()]);
    expect(one).toBe(other);
    expect(reads).toBe(1);
    await metrics.render();
    expect(reads).toBe(2);
    expect(one.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('let requests have a turn while many series are written', async () => {
    const metrics = newMetrics({
      targets: () => ({
        backends: Array.from({ length: 5000 }, (_, index) => ({
          route: 'team-a/chat',
          name: `b${index}`,
          state: 'enabled' as const,
          inFlight: 0,
        })),
        keys: [],
      }),
    });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    await metrics.render();
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});
