// What every state store promises, whatever carries it: one suite, run against memory and against a real Redis.

import { describe, expect, test } from 'vitest';
import { foreverMs } from '../../proxy/state/store.ts';
import { type Fleet, type StateProxy, useFleet } from './joined-fleet.ts';
import { soon } from './soon.ts';

const backend = 'backend:team-a/chat/gpt4';
const minute = 60_000;

/** Declares the suite for one kind of store. */
export function describeStore(name: string, open: () => Promise<Fleet>): void {
  describe(name, () => {
    const { create, join } = useFleet(open);

    function disable({ book }: StateProxy, { target = backend, forMs = minute, hard = false } = {}) {
      return book.disable(target, { untilMs: Date.now() + forMs, reason: 'ServerError', hard });
    }

    test('what one proxy disables is disabled for the others, by the same entry', async () => {
      const [one, two, three] = [await join(), await join(), await join()];
      const entry = disable(one);
      await soon(() => two.book.find(backend)?.id).toBe(entry.id);
      await soon(() => three.book.find(backend)?.id).toBe(entry.id);
      expect(two.book.find(backend)).toMatchObject({ by: 'proxy-1', reason: 'ServerError', hard: false });
      expect(Math.abs(two.book.until(backend) - entry.untilMs)).toBeLessThan(100);
    });

    test('a newcomer knows all that is in force when start has resolved', async () => {
      const [one, two] = [await join(), await join()];
      const targets = Array.from({ length: 1200 }, (_, n) => `backend:team-a/chat/b${n}`);
      for (const target of targets) disable(one, { target });
      await soon(() => two.book.list().length).toBe(targets.length);
      const three = await join();
      expect(targets.filter((target) => three.book.until(target) === 0)).toEqual([]);
    });

    test('what a newcomer knew before it joined becomes known to the others', async () => {
      const one = await join();
      const two = create();
      const entry = disable(two);
      await two.store.start(5000);
      await soon(() => one.book.find(backend)?.id).toBe(entry.id);
    });

    test('hard and soft travel side by side', async () => {
      const [one, two] = [await join(), await join()];
      disable(one, { hard: true });
      disable(one, { forMs: 10 * minute });
      await soon(() => two.book.list().length).toBe(2);
      expect(two.book.find(backend)?.hard).toBe(true);
      expect(two.book.until(backend)).toBeGreaterThan(Date.now() + 9 * minute);
    });

    test('the later end wins everywhere, whoever said it', async () => {
      const [one, two] = [await join(), await join()];
      disable(one, { forMs: 10 * minute });
      await soon(() => two.book.until(backend)).toBeGreaterThan(0);
      disable(two);
      const longest = disable(two, { forMs: 20 * minute });
      await soon(() => one.book.find(backend)?.id).toBe(longest.id);
      expect(two.book.find(backend)?.id).toBe(longest.id);
    });

    test('a clear enables everywhere, and what is disabled after it stays disabled', async () => {
      const [one, two, three] = [await join(), await join(), await join()];
      disable(one);
      disable(one, { hard: true, target: 'key:team-a/openai' });
      await soon(() => two.book.list().length).toBe(2);
      two.book.clear(backend);
      await soon(() => [one, three].map(({ book }) => book.until(backend))).toEqual([0, 0]);
      const again = disable(three);
      await soon(() => [one, two].map(({ book }) => book.find(backend)?.id)).toEqual([again.id, again.id]);
      expect(one.book.until('key:team-a/openai')).not.toBe(0);
      const four = await join();
      expect(four.book.find(backend)?.id).toBe(again.id);
    });

    test('a clear reaches a proxy that disabled the target and was never told of anything else', async () => {
      const [one, two] = [await join(), await join()];
      disable(two);
      await soon(() => one.book.until(backend)).not.toBe(0);
      one.book.clear(backend);
      await soon(() => two.book.until(backend)).toBe(0);
    });

    test('"until a person enables it" is the same for everybody', async () => {
      const [one, two] = [await join(), await join()];
      one.book.disable(backend, { untilMs: foreverMs, reason: 'Manual', hard: true });
      await soon(() => two.book.until(backend)).toBe(foreverMs);
      const three = await join();
      expect(three.book.find(backend)).toMatchObject({ untilMs: foreverMs, reason: 'Manual', hard: true });
    });

    test('a target may be called anything', async () => {
      const [one, two] = [await join(), await join()];
      const targets = ['a:b:hard', 'backend:x#m:8b', 'ключ: 🗝️ "\'\\', '{sluice:default}', ' \n\t', 'x'.repeat(1000)];
      for (const target of targets) disable(one, { target });
      await soon(() => targets.filter((target) => two.book.until(target) === 0)).toEqual([]);
    });

    test('health names the number of proxies, also after one has left', async () => {
      const [one, two, three] = [await join(), await join(), await join()];
      await soon(() => [one, two, three].map(({ store }) => store.health().proxies)).toEqual([3, 3, 3]);
      expect(one.store.health().state).toBe('ok');
      await two.store.close();
      await soon(() => [one, three].map(({ store }) => store.health().proxies)).toEqual([2, 2]);
    });

    test('nothing fails before start, after close, or when either comes twice', async () => {
      const [one, two] = [await join(), create()];
      two.book.disable(backend, { untilMs: Date.now() + minute, reason: 'Timeout', hard: false });
      two.book.clear(backend);
      await two.store.start(5000);
      await two.store.start(5000);
      await two.store.close();
      await two.store.close();
      disable(two);
      expect(two.book.until(backend)).not.toBe(0);
      disable(one, { target: 'key:team-a/openai' });
      expect(one.book.until('key:team-a/openai')).not.toBe(0);
    });

    test('the time of the store is about now', async () => {
      const { store } = await join();
      expect(Math.abs(store.time() - Date.now())).toBeLessThan(1000);
    });
  });
}
