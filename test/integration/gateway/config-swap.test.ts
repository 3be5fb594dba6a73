// A new configuration takes the place of the old one between two requests: nothing that has begun notices it, and nothing
// that was learnt about backends is forgotten.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { chat, chatRequest, markedText } from '../../support/chat.ts';
import { ask, contentOf, streamedContentOf } from '../../support/client.ts';
import { backend, clientKey, type ConfigDraft, configOf, failover, route, rule } from '../../support/config.ts';
import { eventually } from '../../support/eventually.ts';
import { answer } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';

it('drops nothing under load, whatever changes', async () => {
  await using stage = await openStage({ a: chat('a', { gapMs: 3 }), b: chat('b', { gapMs: 3 }) });
  const { draft, gateway } = stage;
  const [a, b] = draft.providers;
  if (a === undefined || b === undefined) throw new Error('two providers');
  const variants: readonly ConfigDraft[] = [
    draft,
    { ...draft, providers: [a], routes: [route('chat', [rule([backend('a')])])] },
    { ...draft, providers: [b], routes: [route('chat', [rule([backend('b', { model: 'other' })])])] },
    { ...draft, clientKeys: [clientKey('new', 'sk-new')] },
    { ...draft, providers: [{ ...a, timeouts: { ...a.timeouts, connectSeconds: 7 } }, b] },
  ];
  let running = true;
  let swaps = 0;
  const swapping = (async () => {
    for (; running; await delay(5)) gateway.configure(variants[swaps++ % variants.length] ?? draft);
  })();
  const client = async (index: number): Promise<void> => {
    for (let time = 0; time < 40; time += 1) {
      const marker = `${index}-${time}`;
      const streamed = time % 2 === 0;
      const answered = await ask(stage.chatURL, { body: chatRequest(marker, { stream: streamed }) });
      const text = streamed ? streamedContentOf(answered) : contentOf(answered);
      expect([markedText('a', marker), markedText('b', marker)]).toContain(text);
      if (streamed) expect(answered.text).toContain('[DONE]');
    }
  };
  await Promise.all(Array.from({ length: 10 }, (_, index) => client(index)));
  running = false;
  await swapping;
  expect(swaps).toBeGreaterThan(20);
  const { inFlight, backends } = await gateway.state();
  expect(inFlight).toBe(0);
  expect(backends.map(({ state }) => state)).not.toContain('disabled');
});

it('lets a stream end whose route, provider and key are gone', async () => {
  await using stage = await openStage({ a: chat('a', { gapMs: 40, words: 10 }), b: chat('b') });
  const stream = ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
  await eventually(() => stage.upstreams.a.requests.length === 1);
  const [, b] = stage.draft.providers;
  stage.gateway.configure({ providers: b === undefined ? [] : [b], routes: [route('other', [rule([backend('b')])])] });
  expect((await ask(stage.chatURL, { body: chatRequest('two') })).status).toBe(404);
  expect(streamedContentOf(await stream)).toBe(markedText('a', 'one', 10));
  // Nothing names the old provider any more: its connections are closed.
  await eventually(() => stage.upstreams.a.connections === 0);
});

it('forgets no disable, and no switch of a person', async () => {
  await using stage = await openStage({ a: answer('', { status: 500 }), b: chat('b'), c: chat('c') });
  await ask(stage.chatURL, { body: chatRequest('one') });
  await stage.gateway.switchBackend('default/chat/b', 'disable');
  const standing = async () =>
    (await stage.gateway.state()).backends.map(({ id, state, reason, until }) => ({ id, state, reason, until }));
  const before = await standing();
  stage.upstreams.a.script = chat('a');
  for (let time = 0; time < 3; time += 1) stage.gateway.configure(stage.draft);
  expect(await standing()).toEqual(before);
  const answered = await ask(stage.chatURL, { body: chatRequest('two') });
  expect(answered.headers['x-sluice-backend']).toBe('c');
  // Even where the backend was gone for a while.
  const [, , c] = stage.draft.providers;
  stage.gateway.configure({ providers: c === undefined ? [] : [c], routes: [route('chat', [rule([backend('c')])])] });
  stage.gateway.configure(stage.draft);
  expect(await standing()).toEqual(before);
});

it('gives a request one configuration from its beginning to its end', async () => {
  await using stage = await openStage({ slow: answer('', { status: 500, afterMs: 300 }), b: chat('b'), c: chat('c') });
  const asking = ask(stage.chatURL, { body: chatRequest('one') });
  await eventually(() => stage.upstreams.slow.requests.length === 1);
  stage.gateway.configure({ ...stage.draft, routes: [route('chat', [rule([backend('c')])])] });
  expect((await asking).headers['x-sluice-backend']).toBe('b');
  expect((await ask(stage.chatURL, { body: chatRequest('two') })).headers['x-sluice-backend']).toBe('c');
});

it('uses new settings of failover from the next request on', async () => {
  await using stage = await openStage({ a: answer('', { status: 418 }), b: chat('b') });
  expect((await ask(stage.chatURL, { body: chatRequest('one') })).status).toBe(418);
  const [settings] = stage.draft.routes;
  const strict = failover({ statusCodes: [[201, 599]] });
  const rules = settings?.rules.map((it) => ({ ...it, failover: strict })) ?? [];
  stage.gateway.configure({ ...stage.draft, routes: [route('chat', rules)] });
  expect((await ask(stage.chatURL, { body: chatRequest('two') })).headers['x-sluice-backend']).toBe('b');
});

it('refuses what does not hold together, says why, and goes on with the last good', async () => {
  await using stage = await openStage({ a: chat('a') });
  const { gateway } = stage.gateway;
  const served = async (): Promise<unknown> => (await fetch(`${stage.gateway.adminURL}/config`)).json();
  const good = (await served()) as { revision: number };
  const broken: readonly (readonly [unknown, unknown, string])[] = [
    [{}, {}, 'version'],
    ['nonsense', undefined, 'expected object'],
    [configOf(stage.draft).config, configOf(stage.draft).credentials, 'credentials are not those'],
    [{ ...configOf(stage.draft).config, version: 2 }, {}, 'version'],
    pair({ ...stage.draft, routes: [route('chat', [rule([backend('nobody')])])] }, 'default/nobody does not exist'),
    pair(
      { ...stage.draft, routes: [route('chat', [rule([backend('x', { route: 'default/chat' })])])] },
      'refers to itself',
    ),
    pair(
      { ...stage.draft, routes: [route('chat', [rule([backend('a')], { strategy: 'Plugin' })])] },
      'no module of a plugin',
    ),
    pair(
      { ...stage.draft, routes: [route('chat', [rule([backend('a')], { matches: [{ headers: [], cel: '1 +' }] })])] },
      'default/chat',
    ),
  ];
  for (const [config, credentials, reason] of broken) {
    expect(gateway.offer(config, credentials)?.reasons.join(' '), reason).toContain(reason);
    expect(await served()).toMatchObject({ revision: good.revision, lastRefusal: { reasons: expect.anything() } });
    expect((await ask(stage.chatURL, { body: chatRequest('one') })).status).toBe(200);
  }
  stage.gateway.configure(stage.draft);
  expect(await served()).not.toHaveProperty('lastRefusal');
});

function pair(draft: ConfigDraft, reason: string): readonly [unknown, unknown, string] {
  const { config, credentials } = configOf(draft);
  return [config, credentials, reason];
}
