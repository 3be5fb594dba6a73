// Active probes by whole gateways: one of three asks, its answer counts for all, and another takes over when it is gone.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProviderConfig } from '../../../proxy/config/schema.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { type ConfigDraft, failover, provider, route, ruleInOrder, upstreamKey } from '../../support/config.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { answer, stopAtOnce } from '../../support/scripts.ts';
import { soon } from '../../support/soon.ts';
import { type Script, type ScriptedUpstream, startUpstream, type UpstreamRequest } from '../../support/upstream.ts';

const program = await requires('redis-server');
const secret = 'CANARY-probe-credential';
const pool = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;

program.describe('with three proxies and one Redis', () => {
  let redis: TestRedis;
  let probed: ScriptedUpstream;
  let spare: ScriptedUpstream;
  let gateways: TestGateway[];
  let children: ChildProcess[];
  /** What is answered to a probe. */
  let health: Script;

  beforeEach(async () => {
    health = answer({ status: 'ok' });
    redis = await startRedis(program.path);
    [probed, spare] = await Promise.all([
      startUpstream((exchange) => (isProbe(exchange.request) ? health : chat('probed'))(exchange)),
      startUpstream(chat('spare')),
    ]);
    gateways = [];
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all([probed.refuse(), spare.refuse()]);
    await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
    await redis.stop();
  });

  const isProbe = ({ target }: UpstreamRequest): boolean => target === '/v1/health';
  const probes = (): readonly UpstreamRequest[] => probed.requests.filter(isProbe);

  function draftOf(differs: Partial<NonNullable<ProviderConfig['probe']>> = {}, failoverDiffers = {}): ConfigDraft {
    const probe = { path: '/health', periodSeconds: 1, timeoutSeconds: 1, ...differs };
    return {
      providers: [provider('probed', probed.baseURL, { probe, credentials: pool }), provider('spare', spare.baseURL)],
      upstreamKeys: [upstreamKey('key', 'probed', secret)],
      routes: ['chat', 'other'].map((name) =>
        route(name, [ruleInOrder(['probed', 'spare'], { failover: failover(failoverDiffers) })]),
      ),
    };
  }

  async function open(draft: ConfigDraft): Promise<void> {
    gateways = await Promise.all([1, 2, 3].map(() => startTestGateway(draft, { redisURL: redis.url })));
  }

  const states = async (id = 'default/chat/probed'): Promise<string[]> =>
    Promise.all(
      gateways.map(async (gateway) => {
        const { state, reason = '', hard = false } = await gateway.backend(id);
        return [state, reason, hard ? 'hard' : ''].join(' ').trim();
      }),
    );

  const all = (text: string): string[] => gateways.map(() => text);

  async function askAt(gateway: TestGateway, path = '/chat/chat/completions'): Promise<string> {
    const { status, headers } = await ask(`${gateway.url}${path}`, { body: chatRequest('probe') });
    return status === 200 ? String(headers['x-sluice-backend']) : String(status);
  }

  test('one asks, with the credential of requests, once in a period', async () => {
    await open(draftOf());
    await soon(() => probes().length).toBeGreaterThanOrEqual(5);
    const [first] = probes();
    expect(first).toMatchObject({
      method: 'GET',
      headers: { authorization: `Bearer ${secret}`, 'user-agent': 'sluice' },
    });
    const seen = probes();
    const early = seen.flatMap(({ receivedAtMs }, index) =>
      seen
        .slice(0, index)
        .map((before, at) => receivedAtMs - before.receivedAtMs - (index - at) * 1000)
        .filter((ms) => ms < -400),
    );
    process.stdout.write(
      `  probes of one provider by three proxies, gaps ms: ${seen
        .slice(1)
        .map(({ receivedAtMs }, index) => (receivedAtMs - (seen[index]?.receivedAtMs ?? 0)).toFixed(0))
        .join(' ')}\n`,
    );
    expect(early).toEqual([]);
    expect(await states()).toEqual(all('enabled'));
  }, 60_000);

  test('what it finds holds for every backend of the provider in every proxy, until it finds otherwise', async () => {
    await open(draftOf());
    await soon(() => probes().length).toBeGreaterThan(0);
    health = answer({ status: 'down' }, { status: 503 });
    await soon(() => states()).toEqual(all('disabled Probe'));
    expect(await states('default/other/probed')).toEqual(all('disabled Probe'));
    expect(await states('default/chat/spare')).toEqual(all('enabled'));
    const requests = probed.requests.length - probes().length;
    for (const gateway of gateways) expect(await askAt(gateway)).toBe('spare');
    // Whoever insists is sent there, and its success is no answer to the probe's question.
    expect(await askAt(gateways[0] as TestGateway, '/chat/probed/chat/completions')).toBe('probed');
    expect(probed.requests.length - probes().length).toBe(requests + 1);
    expect(await states()).toEqual(all('disabled Probe'));
    health = answer({ status: 'ok' });
    await soon(() => states()).toEqual(all('enabled'));
    for (const gateway of gateways) expect(await askAt(gateway)).toBe('probed');
  }, 60_000);

  test('and a disable by failed requests is not ended by a probe', async () => {
    await open(draftOf());
    probed.script = (exchange) => (isProbe(exchange.request) ? health : answer('', { status: 502 }))(exchange);
    expect(await askAt(gateways[0] as TestGateway)).toBe('spare');
    await soon(() => states()).toEqual(all('disabled ServerError'));
    const before = probes().length;
    await soon(() => probes().length).toBeGreaterThan(before + 1);
    expect(await states()).toEqual(all('disabled ServerError'));
    health = answer('', { status: 500 });
    const failing = probes().length;
    await soon(() => probes().length).toBeGreaterThan(failing + 1);
    health = answer({ status: 'ok' });
    const healed = probes().length;
    await soon(() => probes().length).toBeGreaterThan(healed + 1);
    expect(await states()).toEqual(all('disabled ServerError'));
  }, 60_000);

  test.each([
    ['refuses connections', () => probed.refuse(), 'disabled Probe'],
    ['says nothing in time', async (): Promise<void> => void (health = stopAtOnce('stall')), 'disabled Probe'],
    ['answers too late', async (): Promise<void> => void (health = answer({}, { afterMs: 300 })), 'disabled Probe'],
    [
      'redirects',
      async (): Promise<void> => void (health = answer('', { status: 302, headers: { location: '/' } })),
      'disabled Probe',
    ],
    ['refuses the key', async (): Promise<void> => void (health = answer('', { status: 401 })), 'enabled'],
  ] as const)(
    'an upstream that %s',
    async (_name, happens, state) => {
      await open(draftOf({ unhealthyAfterMillis: 150 }));
      await soon(() => probes().length).toBeGreaterThan(0);
      const before = probes().length;
      await happens();
      if (state === 'enabled') await soon(() => probes().length).toBeGreaterThan(before + 2);
      await soon(() => states()).toEqual(all(state));
      // Soft: with nothing else left it is used all the same.
      expect((await gateways[0]?.key('default/key'))?.state).toBe('enabled');
    },
    60_000,
  );

  test('another takes over when the one that asks is killed', async () => {
    const child = fork(new URL('../../support/gateway-process.ts', import.meta.url).pathname);
    children.push(child);
    child.send({ draft: draftOf(), redisURL: redis.url });
    await once(child, 'message');
    await soon(() => probes().length).toBeGreaterThan(1);
    await open(draftOf());
    const joined = probes().length;
    await soon(() => probes().length).toBeGreaterThan(joined + 2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const killedAtMs = performance.now();
    const killed = probes().length;
    await soon(() => probes().length).toBeGreaterThan(killed + 3);
    const gapMs = (probes()[killed]?.receivedAtMs ?? Infinity) - killedAtMs;
    process.stdout.write(`  probes taken over after ${gapMs.toFixed(0)} ms, of a period of 1,000\n`);
    // A lease of two seconds, and the time until somebody looks; the rest is room for a busy machine.
    expect(gapMs).toBeLessThan(10_000);
  }, 60_000);

  test('it ends with the configuration that names it, and its verdict with it', async () => {
    await open(draftOf());
    health = answer('', { status: 500 });
    await soon(() => states()).toEqual(all('disabled Probe'));
    const { providers, ...rest } = draftOf();
    const without = providers.map(({ probe: _probe, ...config }) => config);
    for (const gateway of gateways) gateway.configure({ ...rest, providers: without });
    expect(await states()).toEqual(all('enabled'));
    for (const gateway of gateways) expect(await askAt(gateway)).toBe('probed');
    const before = probes().length;
    await delay(2500);
    expect(probes().length).toBe(before);
  }, 60_000);

  test('without Redis each proxy asks for itself', async () => {
    await open(draftOf());
    await soon(() => probes().length).toBeGreaterThan(0);
    await redis.kill();
    health = answer('', { status: 500 });
    await soon(() => states()).toEqual(all('disabled Probe'));
    health = answer({ status: 'ok' });
    await soon(() => states()).toEqual(all('enabled'));
  }, 60_000);
});
