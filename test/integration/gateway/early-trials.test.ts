// Three proxies under load in front of a backend that is out: one request in all of them, once in a period, tries whether
// it works again, and no client ever notices.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ProviderConfig } from '../../../proxy/config/schema.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { type ConfigDraft, failover, provider, route, ruleInOrder, upstreamKey } from '../../support/config.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { answer } from '../../support/scripts.ts';
import { soon } from '../../support/soon.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';

const program = await requires('redis-server');
const broken = answer('', { status: 502 });
const periodMs = 1000;

/** Three proxies, one Redis, and two upstreams, one of which is out. */
class World implements AsyncDisposable {
  gateways: readonly TestGateway[] = [];
  readonly redis: TestRedis;
  readonly flaky: ScriptedUpstream;
  readonly #steady: ScriptedUpstream;
  #asked = 0;

  constructor(redis: TestRedis, flaky: ScriptedUpstream, steady: ScriptedUpstream) {
    this.redis = redis;
    this.flaky = flaky;
    this.#steady = steady;
  }

  async open(
    disable: { readonly seconds: number; readonly probeSeconds?: number },
    flakyDiffers: Partial<ProviderConfig> = {},
  ): Promise<void> {
    const settings = failover({ disable: { failures: 1, windowSeconds: 60, ...disable } });
    const draft: ConfigDraft = {
      upstreamKeys: flakyDiffers.credentials === undefined ? [] : [upstreamKey('key', 'flaky', 'secret')],
      providers: [provider('flaky', this.flaky.baseURL, flakyDiffers), provider('steady', this.#steady.baseURL)],
      routes: [route('chat', [ruleInOrder(['flaky', 'steady'], { failover: settings })])],
    };
    this.gateways = await Promise.all([1, 2, 3].map(() => startTestGateway(draft, { redisURL: this.redis.url })));
  }

  async askOne(gateway = this.gateways[0] as TestGateway): Promise<string> {
    const body = chatRequest(`early ${this.#asked++}`);
    const { status, headers } = await ask(`${gateway.url}/chat/chat/completions`, { body });
    return status === 200 ? String(headers['x-sluice-backend']) : String(status);
  }

  /** Two clients at each proxy, one request after the other; who answered how often. */
  async load(forMs: number): Promise<Map<string, number>> {
    const endsAtMs = performance.now() + forMs;
    const answers = new Map<string, number>();
    const client = async (gateway: TestGateway): Promise<void> => {
      while (performance.now() < endsAtMs) {
        const by = await this.askOne(gateway);
        answers.set(by, (answers.get(by) ?? 0) + 1);
        await delay(20);
      }
    };
    await Promise.all([...this.gateways, ...this.gateways].map(client));
    return answers;
  }

  /** What each proxy says of the backend that is out. */
  states(): Promise<string[]> {
    return Promise.all(this.gateways.map(async (gateway) => (await gateway.backend('default/chat/flaky')).state));
  }

  /** Lets one request fail, and everybody hear of it. */
  async disableFlaky(): Promise<void> {
    await this.askOne();
    await soon(() => this.states()).toEqual(['disabled', 'disabled', 'disabled']);
    this.flaky.forget();
  }

  /** Trials that came before their period, counted from any of the earlier ones; the slack is for a busy machine. */
  tooEarly(): number[] {
    const { requests } = this.flaky;
    return requests.flatMap(({ receivedAtMs }, index) =>
      requests
        .slice(0, index)
        .map((earlier, at) => receivedAtMs - earlier.receivedAtMs - (index - at) * periodMs)
        .filter((lateMs) => lateMs < -400),
    );
  }

  report(what: string, answers: ReadonlyMap<string, number>): void {
    const { requests } = this.flaky;
    const gaps = requests
      .slice(1, 21)
      .map(({ receivedAtMs }, index) => (receivedAtMs - (requests[index]?.receivedAtMs ?? 0)).toFixed(0));
    process.stdout.write(
      `  ${what}: ${JSON.stringify(Object.fromEntries(answers))}, trials ${requests.length}, gaps ms ${gaps.join(' ')}\n`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.flaky.refuse(), this.#steady.refuse()]);
    await Promise.all(this.gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
    await this.redis.stop();
  }
}

async function openWorld(): Promise<World> {
  const [redis, flaky, steady] = await Promise.all([
    startRedis(program.path),
    startUpstream(broken),
    startUpstream(chat('steady')),
  ]);
  return new World(redis, flaky, steady);
}

// Most of the time is waiting for periods to pass, each in a world of its own.
program.describe('with three proxies and one Redis', () => {
  test.concurrent('exactly one request in a period tries a backend before it returns', async () => {
    await using world = await openWorld();
    const { flaky } = world;
    await world.open({ seconds: 600, probeSeconds: periodMs / 1000 });
    await world.disableFlaky();
    const answers = await world.load(8000);
    world.report('8 s of load with a trial a second', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    expect(world.tooEarly()).toEqual([]);
    expect(flaky.requests.length).toBeLessThanOrEqual(8);
    // A busy machine may be late.
    expect(flaky.requests.length).toBeGreaterThanOrEqual(4);

    flaky.script = chat('flaky');
    const healed = await world.load(3000);
    world.report('after it was mended', healed);
    expect([...healed.keys()].toSorted()).toEqual(['flaky', 'steady']);
    expect(await world.states()).toEqual(['enabled', 'enabled', 'enabled']);
  }, 60_000);

  test.concurrent('the same holds across the end of a disable', async () => {
    await using world = await openWorld();
    const { flaky } = world;
    await world.open({ seconds: 1.5, probeSeconds: periodMs / 1000 });
    await world.disableFlaky();
    const answers = await world.load(8000);
    world.report('8 s of load, out for 1.5 s at a time', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    expect(world.tooEarly()).toEqual([]);
    expect(flaky.requests.length).toBeGreaterThanOrEqual(4);
  }, 60_000);

  test.concurrent('without a period, one request in all proxies is the trial when a disable ends', async () => {
    await using world = await openWorld();
    const { flaky } = world;
    await world.open({ seconds: 1 });
    await world.disableFlaky();
    const answers = await world.load(6000);
    world.report('6 s of load, out for 1 s at a time', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    expect(world.tooEarly()).toEqual([]);
    expect(flaky.requests.length).toBeGreaterThanOrEqual(3);
  }, 60_000);

  test.concurrent('without Redis each proxy tries once in a period at most', async () => {
    await using world = await openWorld();
    const { flaky } = world;
    await world.open({ seconds: 600, probeSeconds: periodMs / 1000 });
    await world.disableFlaky();
    await world.redis.kill();
    const isOut = async (it: TestGateway): Promise<boolean> =>
      (await it.metrics()).includes('sluice_store_up{kind="redis"} 0');
    await soon(() => Promise.all(world.gateways.map(isOut))).toEqual([true, true, true]);
    flaky.forget();
    const answers = await world.load(6000);
    world.report('6 s of load without Redis', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    const { requests } = flaky;
    // In any period no more than there are proxies.
    const crowded = requests.filter(({ receivedAtMs }, index) => {
      const fourth = requests[index + 3];
      return fourth !== undefined && fourth.receivedAtMs - receivedAtMs < periodMs - 400;
    });
    expect(crowded).toEqual([]);
    expect(requests.length).toBeGreaterThanOrEqual(4);
    flaky.script = chat('flaky');
    await world.load(2500);
    expect(await world.states()).toEqual(['enabled', 'enabled', 'enabled']);
  }, 60_000);

  test.concurrent('a key without money is looked after by one request in all proxies when its time is over', async () => {
    await using world = await openWorld();
    const { flaky } = world;
    // Hard until the reset that the provider names: a second.
    flaky.script = answer({ error: { message: 'no credit' } }, { status: 402, headers: { 'retry-after': '1' } });
    const pool = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;
    await world.open({ seconds: 600 }, { credentials: pool });
    const keys = (): Promise<string[]> =>
      Promise.all(world.gateways.map(async (gateway) => (await gateway.key('default/key')).state));
    await world.askOne();
    await soon(keys).toEqual(['disabled', 'disabled', 'disabled']);
    flaky.forget();
    const answers = await world.load(6000);
    world.report('6 s of load, a key out for 1 s at a time', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    expect(world.tooEarly()).toEqual([]);
    expect(flaky.requests.length).toBeGreaterThanOrEqual(3);
  }, 60_000);
});
