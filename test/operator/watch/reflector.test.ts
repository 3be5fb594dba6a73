import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../operator/kube/object.ts';
import { Store } from '../../../operator/watch/cache.ts';
import { secretType } from '../../../operator/kube/kinds.ts';
import { Reflector, type ReflectorOptions } from '../../../operator/watch/reflector.ts';
import { settled } from '../../support/clock.ts';
import { createKeptLog } from '../queue/kept-log.ts';
import { TurnedClock } from '../queue/turned-clock.ts';
import { listOf, object, refusal, ScriptedClient } from './scripted-client.ts';

let clock: TurnedClock;
let client: ScriptedClient;
let store: Store<unknown>;
let told: string[];
let log: ReturnType<typeof createKeptLog>;
let stop: AbortController;
let reflector: Reflector;
let running: Promise<void> | undefined;

beforeEach(() => {
  clock = new TurnedClock();
  client = new ScriptedClient();
  store = new Store({ project: ({ value }: KubeObject) => value, same: (one, other) => one === other });
  told = [];
  store.onChange((id, after) => void told.push(`${id} ${after === undefined ? 'gone' : JSON.stringify(after)}`));
  log = createKeptLog();
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await running;
  expect(clock.pending).toBe(0);
  expect(client.watches.every(({ ended }) => ended)).toBe(true);
});

async function follow(differs: Partial<ReflectorOptions> = {}): Promise<void> {
  const options = { client, type: secretType, clock, random: () => 1, log, ...differs };
  reflector = new Reflector(store.scope(differs.namespace), options);
  running = reflector.run(stop.signal);
  await settled();
}

/** Messages of warnings and infos, in their order. */
function said(): string[] {
  return log.lines.map(({ level, message }) => `${level}: ${message}`);
}

const complaint = 'warn: cannot list or watch; trying again';
const recovery = 'info: listing and watching again';
const none = 'info: not installed, or may not be read: there are none';

async function watchSays(...events: readonly object[]): Promise<void> {
  client.last.say(...events);
  await settled();
}

describe('a reflector', () => {
  test('lists, and watches from there with bookmarks', async () => {
    client.list = () => listOf('7', [object('x', 5)]);
    await follow({ namespace: 'a', labelSelector: 'l=1', fieldSelector: 'f=2' });
    expect(store.synced()).toBe(true);
    expect(client.asked).toEqual(['list', 'watch 7']);
    const selectors = { labelSelector: 'l=1', fieldSelector: 'f=2' };
    expect(client.lists[0]).toMatchObject({
      path: '/api/v1/namespaces/a/secrets',
      query: { ...selectors, limit: 500 },
    });
    expect(client.last.call).toMatchObject({
      path: '/api/v1/namespaces/a/secrets',
      query: { ...selectors, watch: true, allowWatchBookmarks: true, timeoutSeconds: 600 },
    });
    await watchSays({ type: 'ADDED', object: object('y', 8) }, { type: 'DELETED', object: object('x', 9) });
    expect(told).toEqual(['a/x "x"', 'a/y "y"', 'a/x gone']);
  });

  test('lists page by page', async () => {
    client.list = ({ query }) =>
      query?.['continue'] === 'more' ? listOf('7', [object('y', 6)], '') : listOf('7', [object('x', 5)], 'more');
    await follow();
    expect(told).toEqual(['a/x "x"', 'a/y "y"']);
    expect(client.asked).toEqual(['list', 'list', 'watch 7']);
  });

  test('lists from the beginning when the rest of a list cannot be had any more', async () => {
    let tries = 0;
    client.list = ({ query }) => {
      if (query?.['continue'] === undefined) return listOf(String(++tries), [object('x', tries)], 'more');
      return tries === 1 ? refusal(410, 'Expired') : listOf(String(tries), [object('y', 1)]);
    };
    await follow();
    expect([store.synced(), told]).toEqual([false, []]);
    await clock.run(800);
    expect([store.synced(), told]).toEqual([true, ['a/x "x"', 'a/y "y"']]);
    expect(said()).toEqual([]);
  });

  test.each([
    ['ends in good order', undefined],
    ['is cut', new Error('cut')],
  ])('goes on from where it was when the watch %s, and misses nothing', async (_what, error) => {
    await follow();
    await watchSays({ type: 'ADDED', object: object('x', 8) }, { type: 'BOOKMARK', object: object('', 9) });
    clock.pass(2000);
    client.last.end(error);
    await clock.run(800);
    expect(client.asked).toEqual(['list', 'watch 1', 'watch 9']);
    await watchSays({ type: 'MODIFIED', object: object('x', 10, 'new') });
    expect(told).toEqual(['a/x "x"', 'a/x "new"']);
  });

  test('lists again when the version is too old to watch from, and says nothing', async () => {
    await follow();
    client.list = () => listOf('20', [object('x', 12)]);
    await watchSays({ type: 'ADDED', object: object('y', 3) });
    await watchSays({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    await clock.run(800);
    expect(client.asked).toEqual(['list', 'watch 1', 'list', 'watch 20']);
    client.watch = () => refusal(410, 'Gone');
    client.last.end(new Error('cut'));
    await clock.run(1600 + 3200);
    expect(client.asked.slice(4)).toEqual(['watch 20', 'list', 'watch 20']);
    expect(told).toEqual(['a/y "y"', 'a/x "x"', 'a/y gone']);
    expect(said()).toEqual([complaint]);
    client.watch = () => undefined;
    await clock.run(10_000);
  });

  test('takes a watch that is silent for dead, and lists again', async () => {
    await follow({ silenceMs: 1000 });
    await clock.run(900);
    await watchSays({ type: 'BOOKMARK', object: object('', 5) });
    await clock.run(900);
    expect(client.asked).toEqual(['list', 'watch 1']);
    await clock.run(100);
    expect(client.last.ended).toBe(true);
    await clock.run(800);
    expect(client.asked).toEqual(['list', 'watch 1', 'list', 'watch 1']);
  });

  test('lists again when versions go backwards, as those of a restored cluster do', async () => {
    client.list = () => listOf('1000', [object('x', 900), object('y', 900)]);
    await follow();
    client.list = () => listOf('50', [object('x', 40, 'restored')]);
    await watchSays({ type: 'MODIFIED', object: object('x', 40, 'restored') });
    await clock.run(800);
    expect(client.asked).toEqual(['list', 'watch 1000', 'list', 'watch 50']);
    expect(told).toEqual(['a/x "x"', 'a/y "y"', 'a/x "restored"', 'a/y gone']);
  });

  test('keeps the last state through an outage, and says once that there is one, and once that it is over', async () => {
    client.list = () => listOf('7', [object('x', 5)]);
    await follow();
    client.watch = () => refusal(0);
    client.last.end(new Error('cut'));
    await clock.run(600_000);
    expect(store.get('a/x')).toBe('x');
    // The connection that was cut, and those that were refused.
    expect(said()).toEqual([complaint, complaint]);
    expect(client.asked.filter((asked) => asked === 'list')).toHaveLength(1);
    expect(client.asked.length).toBeGreaterThan(50);
    client.watch = () => undefined;
    await clock.run(10_000);
    expect(said()).toEqual([complaint, complaint, recovery]);
  });

  test('keeps the last state of a kind that must be there, whatever is answered', async () => {
    client.list = () => listOf('7', [object('x', 5)]);
    await follow();
    for (const status of [401, 403, 404, 500, 503]) {
      client.list = client.watch = () => refusal(status);
      client.last.end(new Error('cut'));
      await clock.run(60_000);
      expect([store.get('a/x'), store.synced(), store.absent()]).toEqual(['x', true, false]);
      client.list = () => listOf('7', [object('x', 5)]);
      client.watch = () => undefined;
      await clock.run(10_000);
      expect(client.last.ended).toBe(false);
    }
    expect(told).toEqual(['a/x "x"']);
  });

  test('waits as long as a server asks, but not for hours', async () => {
    client.list = () => refusal(429, 'TooManyRequests', 20_000);
    await follow();
    await clock.run(19_999);
    expect(client.asked).toHaveLength(1);
    client.list = () => refusal(429, 'TooManyRequests', 86_400_000);
    await clock.run(1);
    expect(client.asked).toHaveLength(2);
    client.list = () => listOf('1');
    await clock.run(60_000);
    expect(store.synced()).toBe(true);
  });

  test('does not ask a server that ends every watch at once again and again', async () => {
    await follow();
    const end = setInterval(() => client.last.end(), 0);
    await clock.run(60_000);
    clearInterval(end);
    expect(client.asked.length).toBeLessThan(15);
    client.last.end();
    await clock.run(20_000);
  });

  test('reads everything anew when it is told to, without a word, and says when that is done', async () => {
    client.list = () => listOf('7', [object('x', 5)]);
    await follow();
    const before = client.last;
    client.list = () => listOf('9', [object('x', 5), object('y', 8)]);
    let done = 0;
    void reflector.refresh().then(() => (done += 1));
    void reflector.refresh().then(() => (done += 1));
    await settled();
    expect([before.ended, done, store.get('a/y')]).toEqual([true, 2, 'y']);
    expect(client.asked).toEqual(['list', 'watch 7', 'list', 'watch 9']);
    expect(said()).toEqual([]);
  });

  test('reads anew what it was about to read, or to watch, or waits to try again', async () => {
    let answer: (said: object) => void = () => undefined;
    client.list = () => new Promise((resolve) => (answer = resolve));
    await follow();
    let done = 0;
    void reflector.refresh().then(() => (done += 1));
    client.list = () => refusal(503);
    answer(listOf('1'));
    await clock.run(1);
    expect(done).toBe(0);
    client.list = () => listOf('2');
    void reflector.refresh().then(() => (done += 1));
    await settled();
    expect([done, client.asked.at(-1)]).toEqual([2, 'watch 2']);
  });

  test('leaves nothing open when what comes makes no sense', async () => {
    await follow();
    await watchSays({ type: 'ADDED' });
    expect(client.last.ended).toBe(true);
    await clock.run(800);
    expect(client.asked).toEqual(['list', 'watch 1', 'watch 1']);
  });
});

describe('a kind that may be missing', () => {
  test('counts as empty at once where it is not installed, and is looked for every 15 s', async () => {
    client.list = () => refusal(404, 'NotFound');
    await follow({ optional: true });
    expect([store.synced(), store.absent()]).toEqual([true, true]);
    await clock.run(60_000);
    expect(client.asked).toHaveLength(5);
    expect(said()).toEqual([none]);
    client.list = () => listOf('9', [object('x', 8)]);
    await clock.run(15_000);
    expect([store.absent(), store.get('a/x')]).toEqual([false, 'x']);
  });

  test('is not believed to be forbidden at once: an API server that starts forbids everything', async () => {
    client.list = () => refusal(403, 'Forbidden');
    await follow({ optional: true });
    await clock.run(2900);
    expect([store.synced(), store.absent()]).toEqual([false, false]);
    client.list = () => listOf('9', [object('x', 8)]);
    await clock.run(1000);
    expect([store.synced(), store.absent(), store.get('a/x')]).toEqual([true, false, 'x']);
    expect(said()).toEqual([]);
  });

  test('counts as empty when it is forbidden for three seconds', async () => {
    client.list = () => refusal(403, 'Forbidden');
    await follow({ optional: true });
    await clock.run(3000);
    expect([store.synced(), store.absent()]).toEqual([true, true]);
    await clock.run(60_000);
    expect(client.asked).toHaveLength(8);
    expect(said()).toEqual([none]);
  });

  test.each([403, 404])('that was there keeps its state for ten seconds of %i', async (status) => {
    client.list = () => listOf('7', [object('x', 5)]);
    await follow({ optional: true });
    client.list = client.watch = () => refusal(status);
    client.last.end(new Error('cut'));
    await clock.run(10_000);
    expect(store.get('a/x')).toBe('x');
    await clock.run(1800);
    expect([store.get('a/x'), store.absent()]).toEqual([undefined, true]);
  });

  test('is read anew when it is there, and known to be missing when it is not', async () => {
    client.list = () => refusal(404);
    await follow({ optional: true });
    let done = 0;
    void reflector.refresh().then(() => (done += 1));
    await settled();
    expect([done, client.asked.length, store.absent()]).toEqual([1, 2, true]);
    client.list = () => listOf('9', [object('x', 8)]);
    void reflector.refresh().then(() => (done += 1));
    await settled();
    expect([done, store.get('a/x')]).toEqual([2, 'x']);
  });

  test('does not count as missing for an outage between two refusals', async () => {
    client.list = () => listOf('7', [object('x', 5)]);
    await follow({ optional: true });
    client.list = client.watch = () => refusal(404);
    client.last.end(new Error('cut'));
    await clock.run(9000);
    client.list = () => refusal(503);
    await clock.run(60_000);
    client.list = () => refusal(404);
    await clock.run(10_000);
    expect(store.get('a/x')).toBe('x');
    client.list = () => listOf('8', [object('x', 5)]);
    client.watch = () => undefined;
    await clock.run(10_000);
    expect(told).toEqual(['a/x "x"']);
  });
});
