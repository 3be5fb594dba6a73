// The data plane alone: what a mounted volume does to a proxy, in every order in which it may change.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chat, chatRequest, markedText } from '../../support/chat.ts';
import { contentOf, dataOf, errorOf, streamedContentOf } from '../../support/client.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { answerOf, draftTo, largeDraftTo } from './drafts.ts';
import { makeMount, type Mount, publish, without } from './mount.ts';
import { loopback, type ProxyProcess, startProxyProcess } from './proxy-process.ts';

let one: ScriptedUpstream;
let two: ScriptedUpstream;
let mount: Mount;

beforeAll(async () => {
  one = await startUpstream(chat('one'));
  two = await startUpstream(chat('two'));
});
afterAll(async () => {
  await Promise.all([one.refuse(), two.refuse()]);
});
beforeEach(() => {
  mount = makeMount();
});
afterEach(() => mount[Symbol.dispose]());

describe('a proxy whose volume is empty', () => {
  it('listens, is not ready, refuses requests, and serves as soon as there is a configuration', async () => {
    await using proxy = await startProxyProcess(mount);
    expect(await proxy.ready()).toBe(false);
    expect(await answerOf(proxy)).toBe('503');
    expect(proxy.program.out()).toContain('not ready: no configuration yet');

    const { files, config } = publish(draftTo(one));
    mount.hold(files);
    await proxy.serves(config.revision);
    expect(await proxy.ready()).toBe(true);
    expect(await answerOf(proxy)).toBe('one');
  });
});

describe('a proxy whose volume changes', () => {
  it('goes over to each revision under load without a failed or mixed answer', { timeout: 60_000 }, async () => {
    const first = publish(draftTo(one));
    mount.hold(first.files);
    await using proxy = await startProxyProcess(mount);
    one.script = chat('one', { gapMs: 5 });
    let stopped = false;
    const seen = new Map<string, number>();
    const keepAsking = async (worker: number): Promise<void> => {
      for (let turn = 0; !stopped; turn += 1) {
        const stream = turn % 2 === 0;
        const marker = `${worker}-${turn}`;
        const answer = await proxy.chat({ body: chatRequest(marker, { stream }) });
        const text = stream ? streamedContentOf(answer) : contentOf(answer);
        const backend = text.split('~')[0]!;
        expect([answer.status, answer.broken, text]).toEqual([200, false, markedText(backend, marker)]);
        seen.set(backend, (seen.get(backend) ?? 0) + 1);
      }
    };
    const load = Promise.all(Array.from({ length: 8 }, (_, worker) => keepAsking(worker)));
    try {
      for (let swap = 0; swap < 8; swap += 1) {
        const next = publish(draftTo(swap % 2 === 0 ? two : one, `secret-${swap}`));
        mount.hold(next.files);
        await proxy.serves(next.config.revision);
        await delay(100);
      }
    } finally {
      stopped = true;
      await load;
      one.script = chat('one');
    }
    expect([...seen.keys()].toSorted()).toEqual(['one', 'two']);
    expect(proxy.program.out().match(/configuration in force/g)).toHaveLength(9);
  });

  it('keeps the old one until both configuration and secret are there, whichever comes first', async () => {
    const [first, second, third] = [
      publish(draftTo(one)),
      publish(draftTo(two, 'new')),
      publish(draftTo(one, 'newer')),
    ];
    mount.hold(first.files);
    await using proxy = await startProxyProcess(mount);
    expect(await answerOf(proxy)).toBe('one');

    mount.hold(first.files, without(second.files, second.secret));
    await delay(300);
    expect(await answerOf(proxy)).toBe('one');
    mount.hold(second.files);
    await proxy.serves(second.config.revision);
    expect(await answerOf(proxy)).toBe('two');
    expect(two.requests.at(-1)?.headers['authorization']).toBe('Bearer new');

    mount.hold(without(third.files, third.index, ...third.parts), second.files);
    await delay(300);
    expect(await answerOf(proxy)).toBe('two');
    mount.hold(third.files);
    await proxy.serves(third.config.revision);
    expect(await answerOf(proxy)).toBe('one');
    expect(one.requests.at(-1)?.headers['authorization']).toBe('Bearer newer');
    expect((await proxy.config()).lastRefusal).toBeUndefined();
  });

  it('takes 3 MiB in parts, and waits for the part that is missing or of another revision', async () => {
    const [first, second] = [publish(largeDraftTo(one, 3000), 400_000), publish(largeDraftTo(two, 3000), 400_000)];
    expect(Buffer.byteLength(JSON.stringify(first.config))).toBeGreaterThan(3 * 1024 * 1024);
    expect(first.parts.length).toBeGreaterThan(2);
    const [, part = ''] = first.parts;
    mount.hold(without(first.files, part));
    await using proxy = await startProxyProcess(mount);
    expect(await proxy.ready()).toBe(false);
    mount.hold(first.files);
    await proxy.serves(first.config.revision);
    expect(await answerOf(proxy)).toBe('one');

    mount.hold(second.files, new Map([[part, first.files.get(part)!]]));
    await delay(300);
    expect(await answerOf(proxy)).toBe('one');
    mount.hold(second.files);
    await proxy.serves(second.config.revision);
    expect(await answerOf(proxy)).toBe('two');
  });
});

describe('a proxy whose volume holds something broken', () => {
  it.each([
    ['an index that is no JSON', '{', 'index.json is not JSON'],
    ['an index of another version', '{"version":2}', 'index.json: version:'],
  ])('%s changes nothing, is said once, and is forgotten with the next good one', async (_what, index, words) => {
    const first = publish(draftTo(one));
    mount.hold(first.files);
    await using proxy = await startProxyProcess(mount);

    mount.hold(first.files, new Map([[first.index, index]]));
    const refusing = await proxy.refuses(words);
    expect(refusing.revision).toBe(first.config.revision);
    expect(await proxy.ready()).toBe(true);
    expect(await answerOf(proxy)).toBe('one');
    mount.hold(first.files, new Map([[first.index, index]]));
    await delay(300);
    expect(proxy.program.out().match(/configuration not taken/g)).toHaveLength(1);
    const metrics = await (await fetch(`${proxy.adminURL}/metrics`)).text();
    expect(metrics).toMatch(/^sluice_config_changes_total\{result="refused"\} 1$/m);

    const second = publish(draftTo(two));
    mount.hold(second.files);
    await proxy.serves(second.config.revision);
    expect((await proxy.config()).lastRefusal).toBeUndefined();
    expect(await answerOf(proxy)).toBe('two');
  });

  it('a configuration that cannot be served is refused by its revision, with the field', async () => {
    const first = publish(draftTo(one));
    mount.hold(first.files);
    await using proxy = await startProxyProcess(mount);
    const draft = draftTo(two);
    const bad = publish({ ...draft, routes: [{ ...draft.routes[0]!, rules: [] }] });
    mount.hold(bad.files);
    const { revision, lastRefusal } = await proxy.refuses('routes.0.rules');
    expect([revision, lastRefusal?.revision]).toEqual([first.config.revision, bad.config.revision]);
    expect(await answerOf(proxy)).toBe('one');
  });

  it('tells nothing of credentials that cannot be read', async () => {
    const { files, secret } = publish(draftTo(one));
    mount.hold(files, new Map([[secret, 'CANARY-no-json']]));
    await using proxy = await startProxyProcess(mount);
    const refusing = await proxy.refuses('cannot be unpacked');
    expect(await proxy.ready()).toBe(false);
    expect(JSON.stringify(refusing) + proxy.program.out() + proxy.program.err()).not.toContain('CANARY');
  });
});

describe('a proxy that is started again', () => {
  it('serves from the volume at once', async () => {
    const { files, config } = publish(draftTo(one));
    mount.hold(files);
    const before = await startProxyProcess(mount);
    before.program.process.kill('SIGKILL');
    await before.program.ended;
    await using proxy = await startProxyProcess(mount);
    expect(await proxy.ready()).toBe(true);
    expect((await proxy.config()).revision).toBe(config.revision);
    expect(await answerOf(proxy)).toBe('one');
  });
});

describe('a proxy that is told to end', () => {
  afterEach(() => {
    one.script = chat('one');
  });

  it.each([
    ['node proxy/main.ts', false],
    ['sluice proxy', true],
  ])('%s lets a stream end after SIGTERM, and ends with 0', async (_what, sluice) => {
    one.script = chat('one', { gapMs: 100 });
    mount.hold(publish(draftTo(one)).files);
    await using proxy = await startProxyProcess(mount, { sluice });
    const answer = await beginStream(proxy);
    proxy.program.process.kill('SIGTERM');
    expect(dataOf(await answer.text()).at(-1)).toBe('[DONE]');
    expect(await proxy.program.ended).toBe(0);
    expect(proxy.program.err()).toBe('');
  });

  it.each([
    ['node proxy/main.ts', false],
    ['sluice proxy', true],
  ])('%s ends at once at a second signal, and not with 0', async (_what, sluice) => {
    one.script = chat('one', { gapMs: 100, words: 300 });
    mount.hold(publish(draftTo(one)).files);
    await using proxy = await startProxyProcess(mount, { sluice });
    const answer = await beginStream(proxy);
    const cut = answer.text().catch(() => 'cut');
    proxy.program.process.kill('SIGTERM');
    await delay(200);
    expect(proxy.program.process.exitCode).toBeNull();
    proxy.program.process.kill('SIGINT');
    expect(await proxy.program.ended).toBe(130);
    expect(await cut).toBe('cut');
  });
});

/** A streamed answer of which the head has come. */
function beginStream(proxy: ProxyProcess): Promise<Response> {
  return fetch(`${proxy.url}/chat/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chatRequest('last', { stream: true })),
  });
}

it('a proxy connects to no private address unless it is allowed to', async () => {
  mount.hold(publish(draftTo(one)).files);
  await using proxy = await startProxyProcess(mount, { args: [] });
  const before = one.connectionsTotal;
  const refused = await proxy.chat({ body: chatRequest('hello') });
  expect([refused.status, errorOf(refused).code]).toEqual([503, 'upstream_unavailable']);
  expect(one.connectionsTotal).toBe(before);
  await using allowed = await startProxyProcess(mount, { args: ['--allow-endpoint-cidr', '10.9.0.0/16', ...loopback] });
  expect(await answerOf(allowed)).toBe('one');
});
