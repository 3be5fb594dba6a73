// Three proxies under load in front of a backend that is out: one request in all of them, once in a period, tries whether
// it works again, and no client ever notices.

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
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

program.describe('with three proxies and one Redis', () => {
  let redis: TestRedis;
  let flaky: ScriptedUpstream;
  let steady: ScriptedUpstream;
  let gateways: TestGateway[];

  beforeEach(async () => {
    redis = await startRedis(program.path);
    [flaky, steady] = await Promise.all([startUpstream(broken), startUpstream(chat('steady'))]);
    gateways = [];
  });
  afterEach(async () => {
    await Promise.all([flaky.refuse(), steady.refuse()]);
    await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
    await redis.stop();
  });

  async function open(
    disable: { readonly seconds: number; readonly probeSeconds?: number },
    flakyDiffers: Partial<ProviderConfig> = {},
  ): Promise<void> {
    const settings = failover({ disable: { failures: 1, windowSeconds: 60, ...disable } });
    const draft: ConfigDraft = {
      upstreamKeys: flakyDiffers.credentials === undefined ? [] : [upstreamKey('key', 'flaky', 'secret')],
      providers: [provider('flaky', flaky.baseURL, flakyDiffers), provider('steady', steady.baseURL)],
      routes: [route('chat', [ruleInOrder(['flaky', 'steady'], { failover: settings })])],
    };
    gateways = await Promise.all([1, 2, 3].map(() => startTestGateway(draft, { redisURL: redis.url })));
  }

  let asked = 0;

  async function askOne(gateway: TestGateway): Promise<string> {
    const body = chatRequest(`early ${asked++}`);
    const { status, headers } = await ask(`${gateway.url}/chat/chat/completions`, { body });
    return status === 200 ? String(headers['x-sluice-backend']) : String(status);
  }

  /** Two clients at each proxy, one request after the other; who answered how often. */
  async function load(forMs: number): Promise<Map<string, number>> {
    const endsAtMs = performance.now() + forMs;
    const answers = new Map<string, number>();
    async function client(gateway: TestGateway): Promise<void> {
      while (performance.now() < endsAtMs) {
        const by = await askOne(gateway);
        answers.set(by, (answers.get(by) ?? 0) + 1);
        await delay(20);
      }
    }
    await Promise.all([...gateways, ...gateways].map(client));
    return answers;
  }

  const states = (): Promise<string[]> =>
    Promise.all(gateways.map(async (gateway) => (await gateway.backend('default/chat/flaky')).state));

  /** Lets one request fail, and everybody hear of it. */
  async function disableFlaky(): Promise<void> {
    await askOne(gateways[0] as TestGateway);
    await soon(states).toEqual(['disabled', 'disabled', 'disabled']);
    flaky.forget();
  }

  const gapsOf = ({ requests }: ScriptedUpstream): number[] =>
    requests.slice(1).map(({ receivedAtMs }, index) => receivedAtMs - (requests[index]?.receivedAtMs ?? 0));

  /** Trials that came before their period, counted from any of the earlier ones; the slack is for a busy machine. */
  function tooEarly({ requests }: ScriptedUpstream): number[] {
    return requests.flatMap(({ receivedAtMs }, index) =>
      requests
        .slice(0, index)
        .map((earlier, at) => receivedAtMs - earlier.receivedAtMs - (index - at) * periodMs)
        .filter((lateMs) => lateMs < -400),
    );
  }

  function report(what: string, answers: ReadonlyMap<string, number>): void {
    const gaps = gapsOf(flaky)
      .slice(0, 20)
      .map((ms) => ms.toFixed(0));
    process.stdout.write(
      `  ${what}: ${JSON.stringify(Object.fromEntries(answers))}, trials ${flaky.requests.length}, gaps ms ${gaps.join(' ')}\n`,
    );
  }

  test('exactly one request in a period tries a backend before it returns', async () => {
    await open({ seconds: 600, probeSeconds: periodMs / 1000 });
    await disableFlaky();
    const answers = await load(8000);
    report('8 s of load with a trial a second', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    expect(tooEarly(flaky)).toEqual([]);
    expect(flaky.requests.length).toBeLessThanOrEqual(8);
    // A busy machine may be late.
    expect(flaky.requests.length).toBeGreaterThanOrEqual(4);

    flaky.script = chat('flaky');
    const healed = await load(3000);
    report('after it was mended', healed);
    expect([...healed.keys()].toSorted()).toEqual(['flaky', 'steady']);
    expect(await states()).toEqual(['enabled', 'enabled', 'enabled']);
  }, 60_000);

  test('the same holds across the end of a disable', async () => {
    await open({ seconds: 1.5, probeSeconds: periodMs / 1000 });
    await disableFlaky();
    const answers = await load(8000);
    report('8 s of load, out for 1.5 s at a time', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    expect(tooEarly(flaky)).toEqual([]);
    expect(flaky.requests.length).toBeGreaterThanOrEqual(4);
  }, 60_000);

  test('without a period, one request in all proxies is the trial when a disable ends', async () => {
    await open({ seconds: 1 });
    await disableFlaky();
    const answers = await load(6000);
    report('6 s of load, out for 1 s at a time', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    expect(tooEarly(flaky)).toEqual([]);
    expect(flaky.requests.length).toBeGreaterThanOrEqual(3);
  }, 60_000);

  test('without Redis each proxy tries once in a period at most', async () => {
    await open({ seconds: 600, probeSeconds: periodMs / 1000 });
    await disableFlaky();
    await redis.kill();
    await expect
      .poll(() =>
        Promise.all(gateways.map(async (it) => (await it.metrics()).includes('sluice_store_up{kind="redis"} 0'))),
      )
      .toEqual([true, true, true]);
    flaky.forget();
    const answers = await load(6000);
    report('6 s of load without Redis', answers);
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
    await load(2500);
    expect(await states()).toEqual(['enabled', 'enabled', 'enabled']);
  }, 60_000);

  test('a key without money is looked after by one request in all proxies when its time is over', async () => {
    // Hard until the reset that the provider names: a second.
    flaky.script = answer({ error: { message: 'no credit' } }, { status: 402, headers: { 'retry-after': '1' } });
    const pool = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;
    await open({ seconds: 600 }, { credentials: pool });
    const keys = (): Promise<string[]> =>
      Promise.all(gateways.map(async (gateway) => (await gateway.key('default/key')).state));
    await askOne(gateways[0] as TestGateway);
    await soon(keys).toEqual(['disabled', 'disabled', 'disabled']);
    flaky.forget();
    const answers = await load(6000);
    report('6 s of load, a key out for 1 s at a time', answers);
    expect([...answers.keys()]).toEqual(['steady']);
    expect(tooEarly(flaky)).toEqual([]);
    expect(flaky.requests.length).toBeGreaterThanOrEqual(3);
  }, 60_000);
});
