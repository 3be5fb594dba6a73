// Random lives of disable books: alone against a plain model, and several that hear each other late, twice, or never.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLeaseTable } from '../../../proxy/state/lease-table.ts';
import { createMemoryLeases } from '../../../proxy/state/memory-leases.ts';
import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import type { DisableBook, SharedNews, StatePeer, StateStore } from '../../../proxy/state/store.ts';
import { TestClock } from '../../support/clock.ts';
import { createKeptLog } from './kept-log.ts';

const sequences = 100_000;
const targets = ['backend:team-a/chat/gpt4', 'key:team-a/openai#gpt-4o'] as const;

type Step =
  | { readonly do: 'disable'; readonly target: string; readonly hard: boolean; readonly forMs: number }
  | { readonly do: 'clear'; readonly target: string }
  | { readonly do: 'turn'; readonly byMs: number }
  | { readonly do: 'claim'; readonly target: string }
  | { readonly do: 'settle'; readonly target: string; readonly succeeded: boolean };

const target = fc.constantFrom(...targets);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('disable' as const),
      target,
      hard: fc.boolean(),
      forMs: fc.integer({ min: -1, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), target }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const), byMs: fc.integer({ min: 0, max: 25 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('claim' as const), target }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const), target, succeeded: fc.boolean() }) },
);

/** A book whose news goes where the test says. */
function createProxy(clock: TestClock, proxyId: string, send: (news: SharedNews) => void) {
  let peer: StatePeer | undefined;
  const store: StateStore = {
    share: (entry) => send({ type: 'disable', entry }),
    shareClear: (clear) => send({ type: 'clear', clear }),
    ...createMemoryLeases({ clock, table: createLeaseTable({ clock }), holder: proxyId }),
    time: () => clock.now(),
    attach: (it) => (peer = it),
    health: () => ({ kind: 'memory', state: 'ok', sinceMs: 0, proxies: 1, detail: undefined }),
    start: async () => {},
    close: async () => {},
  };
  const book = createDisableBook({ clock, store, proxyId, log: createKeptLog(), trialMaxMs: 1000 });
  const hear = (news: SharedNews): void => peer?.hear(news);
  return { book, hear, facts: (): SharedNews[] => [...(peer?.facts() ?? [])] };
}

/** What a book must say of one target, kept as simply as can be. */
interface Model {
  hardMs: number;
  softMs: number;
  owes: boolean;
  trial: boolean;
}

function live(book: DisableBook, clock: TestClock, models: ReadonlyMap<string, Model>, it: Step): void {
  if (it.do === 'turn') return clock.turn(it.byMs);
  const model = models.get(it.target) as Model;
  const disabled = Math.max(model.hardMs, model.softMs) > clock.now();
  switch (it.do) {
    case 'disable': {
      const untilMs = clock.now() + it.forMs;
      book.disable(it.target, { untilMs, reason: 'ServerError', hard: it.hard });
      const held = it.hard ? model.hardMs : model.softMs;
      if (it.forMs <= 0 || untilMs <= held) return;
      if (it.hard) model.hardMs = untilMs;
      else model.softMs = untilMs;
      Object.assign(model, { owes: true, trial: false });
      return;
    }
    case 'clear':
      book.clear(it.target);
      Object.assign(model, { hardMs: 0, softMs: 0, owes: false, trial: false });
      return;
    case 'claim': {
      const may = !disabled && !(model.owes && model.trial);
      expect(book.claim(it.target)).toBe(may);
      if (may && model.owes) model.trial = true;
      return;
    }
    case 'settle':
      book.settleTrial(it.target, it.succeeded, clock.now());
      if (model.trial && it.succeeded) model.owes = false;
      model.trial = false;
  }
}

test('a book does what a plain model does: ends never come sooner, hard and soft apart, one trial at a time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const clock = new TestClock(1_000_000);
      const { book } = createProxy(clock, 'proxy-1', () => {});
      const models = new Map(targets.map((it) => [it as string, { hardMs: 0, softMs: 0, owes: false, trial: false }]));
      for (const it of steps) {
        live(book, clock, models, it);
        for (const [name, { hardMs, softMs }] of models) {
          const until = Math.max(hardMs, softMs);
          expect(book.until(name)).toBe(until > clock.now() ? until : 0);
          expect(book.find(name)?.hard).toBe(hardMs > clock.now() ? true : softMs > clock.now() ? false : undefined);
        }
      }
    }),
    { numRuns: sequences },
  );
}, 120_000);

test('books that heard everything agree, in whatever order and however often they heard it', () => {
  const life = fc.array(fc.record({ who: fc.nat({ max: 2 }), step }), { maxLength: 20 });
  fc.assert(
    fc.property(life, fc.infiniteStream(fc.nat({ max: 5 })), (steps, chance) => {
      const clock = new TestClock(1_000_000);
      const drawn = (): number => chance.next().value as number;
      const proxies = [0, 1, 2].map((who) => {
        const underWay: SharedNews[] = [];
        const proxy = createProxy(clock, `proxy-${who}`, (news) => {
          for (const [other, { inbox }] of proxies.entries()) if (other !== who) inbox.push(news);
        });
        return { ...proxy, inbox: underWay };
      });
      for (const { who, step: it } of steps) {
        const { book } = proxies[who] as (typeof proxies)[number];
        if (it.do === 'disable') {
          book.disable(it.target, { untilMs: clock.now() + it.forMs, reason: 'Timeout', hard: it.hard });
        } else if (it.do === 'clear') book.clear(it.target);
        else if (it.do === 'turn') clock.turn(it.byMs);
        for (const { inbox, hear } of proxies) deliverSome(inbox, hear, drawn);
      }
      // What was lost on the way is told again from what each knows: as after the return of Redis.
      const facts = proxies.flatMap((it) => it.facts());
      for (const { inbox, hear } of proxies) for (const news of [...inbox, ...facts]) hear(news);
      const [first, ...others] = proxies.map(({ book }) => inForce(book));
      for (const other of others) expect(other).toEqual(first);
    }),
    { numRuns: 20_000 },
  );
}, 120_000);

/** Takes some of the news in any order; some of it stays to be heard again, some is lost. */
function deliverSome(inbox: SharedNews[], hear: (news: SharedNews) => void, drawn: () => number): void {
  for (let n = drawn(); n > 2 && inbox.length > 0; n--) {
    const at = drawn() % inbox.length;
    const [news] = drawn() === 0 ? inbox.slice(at, at + 1) : inbox.splice(at, 1);
    if (news !== undefined && drawn() !== 1) hear(news);
  }
}

function inForce(book: DisableBook): readonly unknown[] {
  return book
    .list()
    .map(({ id }) => id)
    .sort();
}
