// Active probes by whole gateways: one of three asks, its answer counts for all, and another takes over when it is gone.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
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

const isProbe = ({ target }: UpstreamRequest): boolean => target === '/v1/health';

/** Three proxies, one Redis, and two upstreams, one of which is probed. */
class World implements AsyncDisposable {
  /** What is answered to a probe. */
  health: Script = answer({ status: 'ok' });
  gateways: readonly TestGateway[] = [];
  readonly redis: TestRedis;
  readonly probed: ScriptedUpstream;
  readonly spare: ScriptedUpstream;

  constructor(redis: TestRedis, probed: ScriptedUpstream, spare: ScriptedUpstream) {
    this.redis = redis;
    this.probed = probed;
    this.spare = spare;
    probed.script = this.probedBy(chat('probed'));
  }

  /** Answers probes, and all else by this. */
  probedBy(script: Script): Script {
    return (exchange) => (isProbe(exchange.request) ? this.health : script)(exchange);
  }

  get probes(): readonly UpstreamRequest[] {
    return this.probed.requests.filter(isProbe);
  }

  draftOf(differs: Partial<NonNullable<ProviderConfig['probe']>> = {}): ConfigDraft {
    const probe = { path: '/health', periodSeconds: 1, timeoutSeconds: 1, ...differs };
    return {
      providers: [
        provider('probed', this.probed.baseURL, { probe, credentials: pool }),
        provider('spare', this.spare.baseURL),
      ],
      upstreamKeys: [upstreamKey('key', 'probed', secret)],
      routes: ['chat', 'other'].map((name) =>
        route(name, [ruleInOrder(['probed', 'spare'], { failover: failover() })]),
      ),
    };
  }

  async open(draft = this.draftOf()): Promise<void> {
    this.gateways = await Promise.all([1, 2, 3].map(() => startTestGateway(draft, { redisURL: this.redis.url })));
  }

  states(id = 'default/chat/probed'): Promise<string[]> {
    return Promise.all(
      this.gateways.map(async (gateway) => {
        const { state, reason = '', hard = false } = await gateway.backend(id);
        return [state, reason, hard ? 'hard' : ''].join(' ').trim();
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.probed.refuse(), this.spare.refuse()]);
    await Promise.all(this.gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
    await this.redis.stop();
  }
}

async function openWorld(): Promise<World> {
  const [redis, probed, spare] = await Promise.all([
    startRedis(program.path),
    startUpstream(chat('probed')),
    startUpstream(chat('spare')),
  ]);
  return new World(redis, probed, spare);
}

const all = (text: string): string[] => [text, text, text];

/** Which backend a proxy answers from, or the status that it refuses with. */
async function askAt(gateway: TestGateway, path = '/chat/chat/completions'): Promise<string> {
  const { status, headers } = await ask(`${gateway.url}${path}`, { body: chatRequest('probe') });
  return status === 200 ? String(headers['x-sluice-backend']) : String(status);
}

// They wait most of the time, each in a world of its own.
program.describe('with three proxies and one Redis', () => {
  // Times of one period are told apart: with nothing beside it.
  test('one asks, with the credential of requests, once in a period', async () => {
    await using world = await openWorld();
    await world.open();
    await soon(() => world.probes.length).toBeGreaterThanOrEqual(5);
    const [first] = world.probes;
    expect(first).toMatchObject({
      method: 'GET',
      headers: { authorization: `Bearer ${secret}`, 'user-agent': 'sluice' },
    });
    const seen = world.probes;
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
    expect(await world.states()).toEqual(all('enabled'));
  }, 60_000);

  test.concurrent('what it finds holds for every backend of the provider in every proxy, until it finds otherwise', async () => {
    await using world = await openWorld();
    await world.open();
    await soon(() => world.probes.length).toBeGreaterThan(0);
    world.health = answer({ status: 'down' }, { status: 503 });
    await soon(() => world.states()).toEqual(all('disabled Probe'));
    expect(await world.states('default/other/probed')).toEqual(all('disabled Probe'));
    expect(await world.states('default/chat/spare')).toEqual(all('enabled'));
    const requests = world.probed.requests.length - world.probes.length;
    for (const gateway of world.gateways) expect(await askAt(gateway)).toBe('spare');
    // Whoever insists is sent there, and its success is no answer to the probe's question.
    expect(await askAt(world.gateways[0] as TestGateway, '/chat/probed/chat/completions')).toBe('probed');
    expect(world.probed.requests.length - world.probes.length).toBe(requests + 1);
    expect(await world.states()).toEqual(all('disabled Probe'));
    world.health = answer({ status: 'ok' });
    await soon(() => world.states()).toEqual(all('enabled'));
    for (const gateway of world.gateways) expect(await askAt(gateway)).toBe('probed');
  }, 60_000);

  test.concurrent('and a disable by failed requests is not ended by a probe', async () => {
    await using world = await openWorld();
    await world.open();
    world.probed.script = world.probedBy(answer('', { status: 502 }));
    expect(await askAt(world.gateways[0] as TestGateway)).toBe('spare');
    await soon(() => world.states()).toEqual(all('disabled ServerError'));
    const before = world.probes.length;
    await soon(() => world.probes.length).toBeGreaterThan(before + 1);
    expect(await world.states()).toEqual(all('disabled ServerError'));
    world.health = answer('', { status: 500 });
    const failing = world.probes.length;
    await soon(() => world.probes.length).toBeGreaterThan(failing + 1);
    world.health = answer({ status: 'ok' });
    const healed = world.probes.length;
    await soon(() => world.probes.length).toBeGreaterThan(healed + 1);
    expect(await world.states()).toEqual(all('disabled ServerError'));
  }, 60_000);

  test.concurrent.each([
    ['refuses connections', (world: World): void => void world.probed.refuse(), 'disabled Probe'],
    ['says nothing in time', (world: World): void => void (world.health = stopAtOnce('stall')), 'disabled Probe'],
    ['answers too late', (world: World): void => void (world.health = answer({}, { afterMs: 300 })), 'disabled Probe'],
    [
      'redirects',
      (world: World): void => void (world.health = answer('', { status: 302, headers: { location: '/' } })),
      'disabled Probe',
    ],
    ['refuses the key', (world: World): void => void (world.health = answer('', { status: 401 })), 'enabled'],
  ] as const)(
    'an upstream that %s',
    async (_name, happens, state) => {
      await using world = await openWorld();
      await world.open(world.draftOf({ unhealthyAfterMillis: 150 }));
      await soon(() => world.probes.length).toBeGreaterThan(0);
      const before = world.probes.length;
      happens(world);
      if (state === 'enabled') await soon(() => world.probes.length).toBeGreaterThan(before + 2);
      await soon(() => world.states()).toEqual(all(state));
      // Soft: with nothing else left it is used all the same.
      expect((await world.gateways[0]?.key('default/key'))?.state).toBe('enabled');
    },
    60_000,
  );

  test.concurrent('another takes over when the one that asks is killed', async ({ onTestFinished }) => {
    await using world = await openWorld();
    const child = fork(new URL('../../support/gateway-process.ts', import.meta.url).pathname);
    onTestFinished(() => void child.kill('SIGKILL'));
    child.send({ draft: world.draftOf(), redisURL: world.redis.url });
    await once(child, 'message');
    await soon(() => world.probes.length).toBeGreaterThan(1);
    await world.open();
    const joined = world.probes.length;
    await soon(() => world.probes.length).toBeGreaterThan(joined + 2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const killedAtMs = performance.now();
    const killed = world.probes.length;
    await soon(() => world.probes.length).toBeGreaterThan(killed + 3);
    const gapMs = (world.probes[killed]?.receivedAtMs ?? Infinity) - killedAtMs;
    process.stdout.write(`  probes taken over after ${gapMs.toFixed(0)} ms, of a period of 1,000\n`);
    // A lease of two seconds, and the time until somebody looks; the rest is room for a busy machine.
    expect(gapMs).toBeLessThan(10_000);
  }, 60_000);

  test.concurrent('it ends with the configuration that names it, and its verdict with it', async () => {
    await using world = await openWorld();
    await world.open();
    world.health = answer('', { status: 500 });
    await soon(() => world.states()).toEqual(all('disabled Probe'));
    const { providers, ...rest } = world.draftOf();
    const without = providers.map(({ probe: _probe, ...config }) => config);
    for (const gateway of world.gateways) gateway.configure({ ...rest, providers: without });
    expect(await world.states()).toEqual(all('enabled'));
    for (const gateway of world.gateways) expect(await askAt(gateway)).toBe('probed');
    const before = world.probes.length;
    await delay(2500);
    expect(world.probes.length).toBe(before);
  }, 60_000);

  test.concurrent('without Redis each proxy asks for itself', async () => {
    await using world = await openWorld();
    await world.open();
    await soon(() => world.probes.length).toBeGreaterThan(0);
    await world.redis.kill();
    world.health = answer('', { status: 500 });
    await soon(() => world.states()).toEqual(all('disabled Probe'));
    world.health = answer({ status: 'ok' });
    await soon(() => world.states()).toEqual(all('enabled'));
  }, 60_000);
});
