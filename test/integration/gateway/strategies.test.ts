// Strategies in a whole gateway: what they know comes from the requests that went through it.

import { describe, expect, it } from 'vitest';
import type { ModelConfig, RuleConfig } from '../../../proxy/config/schema.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { backend, failover, upstreamKey } from '../../support/config.ts';
import { eventually } from '../../support/eventually.ts';
import { keyOf } from '../../support/key-upstream.ts';
import { answer } from '../../support/scripts.ts';
import { openStage, type Stage } from '../../support/stage.ts';

const trio = ['a', 'b', 'c'] as const;
const scripts = { a: chat('a'), b: chat('b'), c: chat('c') };
const together = trio.map((name) => backend(name));

function stageOf(strategy: RuleConfig['strategy'], differs: Partial<RuleConfig> = {}): Promise<Stage<'a' | 'b' | 'c'>> {
  return openStage(scripts, { rule: { strategy, backends: together, ...differs } });
}

async function reached(stage: Stage<string>, body: object, headers = {}): Promise<string> {
  const { headers: answered } = await ask(stage.chatURL, { body, headers });
  return answered['x-sluice-backend'] ?? '';
}

function turn(...texts: readonly string[]): object {
  return chatRequest('', {
    messages: texts.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content })),
  });
}

describe('LeastUsed', () => {
  it('is even to the request', async () => {
    await using stage = await stageOf('LeastUsed');
    for (let count = 0; count < 30; count += 1) await reached(stage, chatRequest(`${count}`));
    expect(trio.map((name) => stage.upstreams[name].requests.length)).toEqual([10, 10, 10]);
  });
});

describe('LeastBusy', () => {
  it('leaves a backend alone that has not answered yet, and shows what is under way', async () => {
    await using stage = await openStage(
      { slow: chat('slow', { afterMs: 600_000 }), quick: chat('quick') },
      { rule: { strategy: 'LeastBusy', backends: [backend('slow'), backend('quick')] } },
    );
    const leave = new AbortController();
    const hanging = ask(`${stage.gateway.url}/chat/slow`, { body: chatRequest('hangs'), signal: leave.signal });
    await eventually(() => stage.upstreams.slow.requests.length === 1);
    for (let count = 0; count < 10; count += 1) expect(await reached(stage, chatRequest(`${count}`))).toBe('quick');
    expect(await stage.gateway.backend('default/chat/slow')).toMatchObject({ inFlight: 1, waiting: 1 });
    leave.abort();
    await expect(hanging).rejects.toThrow();
    await eventually(async () => (await stage.gateway.backend('default/chat/slow')).inFlight === 0);
  });
});

describe('LeastLatency', () => {
  it('measures streams and goes where content comes first', async () => {
    await using stage = await openStage(
      { far: chat('far', { firstAfterMs: 1_500 }), near: chat('near') },
      { rule: { strategy: 'LeastLatency', backends: [backend('far'), backend('near')] } },
    );
    const streamed = (): Promise<string> => reached(stage, chatRequest('one', { stream: true }));
    // Both are unknown at first.
    expect(new Set([await streamed(), await streamed()])).toEqual(new Set(['far', 'near']));
    for (let count = 0; count < 10; count += 1) expect(await streamed()).toBe('near');
    const far = await stage.gateway.backend('default/chat/far');
    expect(far.firstContentMs).toBeGreaterThan(1_400);
    expect(await stage.gateway.metrics()).toMatch(
      /sluice_backend_usual_first_content_seconds\{route="default\/chat",backend="far"\} 1\.[4-9]/,
    );
  });

  it('goes on with what it knows through a new configuration', async () => {
    await using stage = await openStage(
      { far: chat('far', { firstAfterMs: 1_500 }), near: chat('near') },
      { rule: { strategy: 'LeastLatency', backends: [backend('far'), backend('near')] } },
    );
    const streamed = (): Promise<string> => reached(stage, chatRequest('one', { stream: true }));
    await streamed();
    await streamed();
    stage.gateway.configure(stage.draft);
    for (let count = 0; count < 5; count += 1) expect(await streamed()).toBe('near');
    expect(stage.upstreams.far.requests).toHaveLength(1);
  });
});

describe('DynamicWeighted', () => {
  it('gives a failing backend less, and goes on asking it', async () => {
    const flaky = { a: chat('a'), b: answer('', { status: 500 }) };
    await using stage = await openStage(flaky, {
      rule: { strategy: 'DynamicWeighted', backends: [backend('a'), backend('b')] },
      failover: { disable: { failures: 1, windowSeconds: 60, seconds: 0 } },
    });
    for (let count = 0; count < 200; count += 1) expect(await reached(stage, chatRequest(`${count}`))).toBe('a');
    const { b } = stage.upstreams;
    expect(b.requests.length).toBeGreaterThan(10);
    expect(b.requests.length).toBeLessThan(70);
    expect((await stage.gateway.backend('default/chat/b')).failingPercent).toBeGreaterThan(60);
  });
});

describe('Cheapest', () => {
  it('takes the price of each request, and fails over to the next cheapest', async () => {
    const model = (input: number, output: number): ModelConfig => ({
      name: 'm',
      upstreamName: 'm',
      price: { inputPerMillion: input, outputPerMillion: output },
    });
    const prices = { a: model(1_000_000, 20_000_000), b: model(5_000_000, 6_000_000), c: model(9_000_000, 90_000_000) };
    await using stage = await openStage(scripts, {
      rule: { strategy: 'Cheapest', backends: trio.map((name) => backend(name, { model: 'm' })) },
      failover: failover({ disable: { failures: 1, windowSeconds: 60, seconds: 600 } }),
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map((it, index) => ({ ...it, models: [Object.values(prices)[index] ?? prices.a] })),
      }),
    });
    const long = 'word '.repeat(20_000);
    expect(await reached(stage, chatRequest(long, { max_tokens: 100 }))).toBe('a');
    expect(await reached(stage, chatRequest('short', { max_tokens: 4_000 }))).toBe('b');
    stage.upstreams.a.script = answer('', { status: 500 });
    expect(await reached(stage, chatRequest(long, { max_tokens: 100 }))).toBe('b');
  });
});

describe('Affinity', () => {
  it('keeps a conversation where it is, turn by turn, and spreads conversations', async () => {
    await using stage = await stageOf('Affinity');
    const homes = new Set<string>();
    for (let conversation = 0; conversation < 30; conversation += 1) {
      const first = `question ${conversation}`;
      const home = await reached(stage, turn(first));
      homes.add(home);
      expect(await reached(stage, turn(first, 'answer', 'and then?'))).toBe(home);
    }
    expect(homes.size).toBe(3);
  });

  it('brings a conversation back to a backend that has been away', async () => {
    await using stage = await stageOf('Affinity');
    const home = await reached(stage, turn('hello'));
    const id = `default/chat/${home}`;
    await stage.gateway.switchBackend(id, 'disable');
    const away = await reached(stage, turn('hello', 'x', 'y'));
    expect(away).not.toBe(home);
    expect(await reached(stage, turn('hello', 'x', 'z'))).toBe(away);
    await stage.gateway.switchBackend(id, 'enable');
    expect(await reached(stage, turn('hello', 'x', 'y', 'z'))).toBe(home);
  });

  it('goes by a header or by the client, where the rule says so', async () => {
    await using byHeader = await stageOf('Affinity', { affinity: { on: 'Header', headerName: 'X-Session' } });
    const homes = new Set<string>();
    for (let session = 0; session < 20; session += 1) {
      const home = await reached(byHeader, turn('a'), { 'x-session': `s${session}` });
      homes.add(home);
      expect(await reached(byHeader, turn('b'), { 'x-session': `s${session}` })).toBe(home);
    }
    expect(homes.size).toBe(3);
    await using byClient = await stageOf('Affinity', { affinity: { on: 'Client' } });
    const home = await reached(byClient, turn('0'));
    for (let count = 1; count < 10; count += 1) expect(await reached(byClient, turn(`${count}`))).toBe(home);
  });
});

describe('keys of a pool that conversations keep to', () => {
  it('are the same from turn to turn, and the next one where the key is out', async () => {
    await using stage = await openStage(
      { a: chat('a') },
      {
        draft: (usual) => ({
          ...usual,
          providers: usual.providers.map((it) => ({
            ...it,
            credentials: { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'Conversation' } },
          })),
          upstreamKeys: ['k1', 'k2', 'k3'].map((name) => upstreamKey(name, 'a', name)),
        }),
      },
    );
    const used = async (...texts: readonly string[]): Promise<string> => {
      await reached(stage, turn(...texts));
      const last = stage.upstreams.a.requests.at(-1);
      return last === undefined ? '' : keyOf(last);
    };
    const keys = new Set<string>();
    for (let conversation = 0; conversation < 20; conversation += 1) {
      const key = await used(`question ${conversation}`);
      keys.add(key);
      expect(await used(`question ${conversation}`, 'answer', 'more')).toBe(key);
    }
    expect([...keys].sort()).toEqual(['k1', 'k2', 'k3']);
  });
});

describe('policy inside a tier', () => {
  it('asks those first that a rule prefers, and the others when they fail', async () => {
    await using stage = await openStage(scripts, {
      rule: {
        strategy: 'RoundRobin',
        backends: together,
        prefer: [{ attribute: { name: 'residency', operator: 'In', values: ['eu'] } }],
      },
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map((it) =>
          it.id === 'default/b' ? { ...it, attributes: { residency: 'eu' } } : it,
        ),
      }),
    });
    for (let count = 0; count < 6; count += 1) expect(await reached(stage, chatRequest(`${count}`))).toBe('b');
    stage.upstreams.b.script = answer('', { status: 500 });
    expect(['a', 'c']).toContain(await reached(stage, chatRequest('failover')));
  });

  it('leaves out a backend that was slower than the rule allows, and says so when there is no other', async () => {
    await using stage = await openStage(
      { far: chat('far', { firstAfterMs: 300 }) },
      { rule: { backends: [backend('far')], require: [{ maxFirstContentMillis: 100 }] } },
    );
    const streamed = () => ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    expect((await streamed()).status).toBe(200);
    const refused = await streamed();
    expect(refused.status).toBe(503);
    expect(refused.headers['x-sluice-error']).toBe('all_backends_disabled');
    expect(stage.upstreams.far.requests).toHaveLength(1);
  });
});
