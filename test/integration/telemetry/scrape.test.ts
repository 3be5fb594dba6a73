import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdmin, type Admin } from '../../../proxy/admin/admin.ts';
import { createBackendSwitch } from '../../../proxy/admin/backend-switch.ts';
import { describeState } from '../../../proxy/admin/state.ts';
import type { GatewayConfig } from '../../../proxy/config/schema.ts';
import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import { createMemoryStore } from '../../../proxy/state/memory-store.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import { createMetrics, type Metrics } from '../../../proxy/telemetry/metrics.ts';
import { createProcessMetrics } from '../../../proxy/telemetry/process-metrics.ts';
import { failOverOnce } from '../../proxy/telemetry/trails.ts';

const config = {
  className: 'default',
  revision: 5,
  digest: 'd'.repeat(64),
  routes: [
    {
      id: 'team-a/chat',
      rules: [
        {
          backends: [
            { name: 'azure', provider: 'team-a/azure' },
            { name: 'openai', provider: 'team-a/openai' },
          ],
        },
      ],
    },
  ],
  providers: [{ id: 'team-a/azure' }],
  upstreamKeys: [{ id: 'team-a/one', provider: 'team-a/azure', state: 'Enabled' }],
} as unknown as GatewayConfig;

const idle = { inFlight: 0, waiting: 0, health: 1, failingPercent: 0, firstContentMs: 250, responseMs: undefined };

let admin: Admin;
let metrics: Metrics;
let base: string;

const overload = { shedShare: 0, shed: {} };

beforeAll(async () => {
  const store = createMemoryStore({ clock: systemClock });
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const disables = createDisableBook({ clock: systemClock, store, proxyId: 'proxy-a', log: quiet });
  const state = () =>
    describeState({
      config,
      disables: disables.list(),
      store: store.health(),
      inFlight: 0,
      loadOf: () => idle,
      limitOf: () => undefined,
      overload,
      onTrial: () => false,
      nowMs: systemClock.now(),
    });
  const report = () => ({ revision: config.revision, digest: config.digest, className: 'default', servedSinceMs: 0 });
  metrics = createMetrics({
    clock: systemClock,
    version: '1.2.3',
    proxyId: 'proxy-a',
    sources: { targets: state, config: report, store: () => store.health(), overload: () => overload },
    processMetrics: createProcessMetrics(),
  });
  disables.onChange((change) => metrics.disableChanged(change));
  metrics.setConfig(config);
  admin = createAdmin({
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    clock: systemClock,
    log: quiet,
    sources: {
      readiness: () => ({ ready: true }),
      config: report,
      state,
      metrics: () => metrics.render(),
      ...createBackendSwitch(disables, systemClock),
    },
  });
  const { port } = await admin.listen();
  base = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  await admin.close();
});

/** Reads the text format as strictly as Prometheus does; fails on what it would refuse. */
function parseExposition(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      expect(types.has(type[1] ?? ''), `second TYPE of ${type[1]}`).toBe(false);
      types.set(type[1] ?? '', type[2] ?? '');
      continue;
    }
    const sample = /^(([a-zA-Z_:][\w:]*)(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})?) (\S+)$/.exec(line);
    if (sample === null) return expect.unreachable(`not a sample: ${line}`);
    const [, series = '', name = '', value = ''] = sample;
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    expect(types.has(family), `no TYPE for ${name}`).toBe(true);
    expect(samples.has(series), `${series} twice`).toBe(false);
    // Node has no lag to report before its first turn.
    if (!name.startsWith('nodejs_')) expect(Number.isFinite(Number(value)), line).toBe(true);
    samples.set(series, Number(value));
  }
  return samples;
}

async function scrape(): Promise<Map<string, number>> {
  const response = await fetch(`${base}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parseExposition(await response.text());
}

describe('a scrape of the admin port', () => {
  it('is what Prometheus can read, with the proxy’s and the process’s metrics', async () => {
    failOverOnce(metrics.observer);
    const samples = await scrape();
    expect(samples.get('sluice_config_revision')).toBe(5);
    expect(samples.get('sluice_failovers_total{route="team-a/chat",class="ServerError"}')).toBe(1);
    expect(samples.get('sluice_backend_state{route="team-a/chat",backend="azure",state="enabled"}')).toBe(1);
    expect(samples.get('process_start_time_seconds')).toBeGreaterThan(0);
  });

  it('shows what a person switched off, and on again', async () => {
    const change = async (verb: string): Promise<unknown> =>
      await (await fetch(`${base}/backends/team-a/chat/azure/${verb}`, { method: 'POST' })).json();
    expect(await change('disable')).toMatchObject({ state: 'disabled', hard: true, reason: 'Manual', until: null });
    const disabled = await scrape();
    expect(disabled.get('sluice_backend_state{route="team-a/chat",backend="azure",state="disabled"}')).toBe(1);
    expect(disabled.get('sluice_disabled_targets{kind="backend",hard="true"}')).toBe(1);
    expect(disabled.get('sluice_disables_total{kind="backend",class="Manual",origin="local"}')).toBe(1);
    expect(await change('enable')).toMatchObject({ state: 'enabled' });
    const enabled = await scrape();
    expect(enabled.get('sluice_backend_state{route="team-a/chat",backend="azure",state="enabled"}')).toBe(1);
    expect(enabled.get('sluice_disabled_targets{kind="backend",hard="true"}')).toBe(0);
  });
});
