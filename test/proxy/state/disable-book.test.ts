import { describe, expect, test } from 'vitest';
import { createDisableBook, type DisableBookOptions } from '../../../proxy/state/disable-book.ts';
import { createMemoryStore } from '../../../proxy/state/memory-store.ts';
import {
  foreverMs,
  type DisableBook,
  type DisableChange,
  type DisableEntry,
  type SharedNews,
  type StateStore,
} from '../../../proxy/state/store.ts';
import { TestClock } from '../../support/clock.ts';
import { createKeptLog } from './kept-log.ts';

const target = 'backend:team-a/chat/gpt4';
const minute = 60_000;
const day = 24 * 60 * minute;

interface Rig {
  readonly clock: TestClock;
  readonly book: DisableBook;
  readonly shared: SharedNews[];
  readonly changes: DisableChange[];
  readonly lines: string[];
  /** Disables softly for a time from now. */
  readonly soft: (forMs: number, on?: string) => DisableEntry;
  readonly hard: (forMs: number, on?: string) => DisableEntry;
  /** What another proxy says. */
  readonly hear: (news: SharedNews) => void;
  readonly facts: () => SharedNews[];
}

function rig(options: Partial<DisableBookOptions> = {}): Rig {
  const clock = new TestClock();
  const { lines, ...log } = createKeptLog();
  const shared: SharedNews[] = [];
  let peer: Parameters<StateStore['attach']>[0] | undefined;
  const store: StateStore = {
    ...createMemoryStore({ clock }),
    time: () => clock.now(),
    share: (entry) => void shared.push({ type: 'disable', entry }),
    shareClear: (clear) => void shared.push({ type: 'clear', clear }),
    attach: (it) => (peer = it),
  };
  const book = createDisableBook({ clock, store, proxyId: 'proxy-1', log, ...options });
  const changes: DisableChange[] = [];
  book.onChange((change) => changes.push(change));
  const disable =
    (hard: boolean) =>
    (forMs: number, on: string = target) =>
      book.disable(on, { untilMs: clock.now() + forMs, reason: 'ServerError', hard });
  return {
    clock,
    book,
    shared,
    changes,
    lines,
    soft: disable(false),
    hard: disable(true),
    hear: (news) => peer?.hear(news),
    facts: () => [...(peer?.facts() ?? [])],
  };
}

function entryOfOther(clock: TestClock, fields: Partial<DisableEntry>): SharedNews {
  const base = { id: 'proxy-2.0', target, hard: false, reason: 'ServerError', by: 'proxy-2', generation: 0 } as const;
  return { type: 'disable', entry: { ...base, sinceMs: clock.now(), untilMs: clock.now() + minute, ...fields } };
}

describe('a disable book', () => {
  test('knows a target that was never disabled as enabled', () => {
    const { book } = rig();
    expect(book.until(target)).toBe(0);
    expect(book.find(target)).toBeUndefined();
    expect(book.claim(target)).toBe(true);
    expect(book.repeats(target)).toBe(0);
    expect(book.list()).toEqual([]);
  });

  test('disables at once, for exactly as long as it was told, and shares it', () => {
    const { book, clock, shared, soft } = rig();
    const entry = soft(minute);
    expect(entry).toMatchObject({ target, by: 'proxy-1', untilMs: clock.now() + minute, sinceMs: clock.now() });
    expect(book.until(target)).toBe(clock.now() + minute);
    expect(book.claim(target)).toBe(false);
    expect(shared).toEqual([{ type: 'disable', entry }]);
    clock.turn(minute - 1);
    expect(book.until(target)).not.toBe(0);
    clock.turn(1);
    expect(book.until(target)).toBe(0);
    expect(book.list()).toEqual([]);
  });

  test('takes the later end of two, and shares only what lengthens', () => {
    const { book, clock, shared, soft } = rig();
    const long = soft(10 * minute);
    expect(soft(minute)).toBe(long);
    expect(book.until(target)).toBe(clock.now() + 10 * minute);
    expect(soft(11 * minute).untilMs).toBe(clock.now() + 11 * minute);
    expect(shared).toHaveLength(2);
  });

  test('keeps hard and soft apart: a longer soft rest does not hide a hard disable', () => {
    const { book, clock, soft, hard } = rig();
    hard(minute);
    soft(10 * minute);
    expect(book.find(target)).toMatchObject({ hard: true });
    expect(book.until(target)).toBe(clock.now() + 10 * minute);
    expect(book.list()).toHaveLength(2);
    clock.turn(minute);
    expect(book.find(target)).toMatchObject({ hard: false });
  });

  test('ignores a disable that ends before it begins', () => {
    const { book, shared, soft } = rig();
    soft(0);
    expect(book.until(target)).toBe(0);
    expect(book.disable(target, { untilMs: Number.NaN, reason: 'Timeout', hard: true }).hard).toBe(true);
    expect(book.list()).toEqual([]);
    expect(shared).toEqual([]);
  });

  test('keeps "until a person enables it" for ever, and waits for no timer to end it', () => {
    const { book, clock } = rig();
    book.disable(target, { untilMs: Infinity, reason: 'Manual', hard: true });
    clock.turn(400 * day);
    expect(book.until(target)).toBe(foreverMs);
  });
});

describe('clearing a target', () => {
  test('enables it at once, without a trial, and shares that', () => {
    const { book, clock, shared, soft, hard } = rig();
    soft(minute);
    hard(minute);
    book.clear(target);
    expect(book.until(target)).toBe(0);
    expect([book.claim(target), book.claim(target)]).toEqual([true, true]);
    expect(shared.at(-1)).toEqual({ type: 'clear', clear: { target, generation: clock.now() } });
  });

  test('voids what others say that they saw before it, not what comes after it', () => {
    const { book, clock, hear, soft } = rig();
    soft(minute);
    book.clear(target);
    hear(entryOfOther(clock, { generation: clock.now() - 1 }));
    expect(book.until(target)).toBe(0);
    hear(entryOfOther(clock, { generation: clock.now() }));
    expect(book.until(target)).not.toBe(0);
  });

  test('works again within the same millisecond', () => {
    const { book, shared, soft } = rig();
    book.clear(target);
    soft(minute);
    book.clear(target);
    expect(book.until(target)).toBe(0);
    const generations = shared.flatMap((it) => (it.type === 'clear' ? [it.clear.generation] : []));
    expect(generations[1]).toBeGreaterThan(generations[0] ?? 0);
  });

  test('is forgotten after a day, so that a lost clear cannot mute later disables', () => {
    const { book, clock, hear, facts } = rig();
    book.clear(target);
    expect(facts()).toHaveLength(1);
    clock.turn(day + 2 * minute);
    expect(facts()).toEqual([]);
    hear(entryOfOther(clock, { generation: 0 }));
    expect(book.until(target)).not.toBe(0);
  });
});

describe('news', () => {
  test('disables here what another proxy disabled, without telling it back', () => {
    const { book, clock, hear, shared } = rig();
    hear(entryOfOther(clock, {}));
    expect(book.find(target)).toMatchObject({ by: 'proxy-2' });
    expect(shared).toEqual([]);
  });

  test('that is over when it arrives changes nothing', () => {
    const { book, clock, hear, changes } = rig();
    hear(entryOfOther(clock, { untilMs: clock.now() }));
    expect(book.until(target)).toBe(0);
    expect(changes).toEqual([]);
  });

  test('facts say all that is in force, clears first', () => {
    const { book, clock, soft, hard, facts } = rig();
    book.clear(target);
    soft(minute);
    hard(2 * minute, 'key:team-a/openai');
    clock.turn(minute);
    expect(facts().map((it) => (it.type === 'clear' ? it.clear.target : it.entry.target))).toEqual([
      target,
      'key:team-a/openai',
    ]);
  });
});

describe('the return of a target', () => {
  test('gives one caller the trial, and the others nothing until it has succeeded', () => {
    const { book, clock, soft } = rig();
    soft(minute);
    clock.turn(minute);
    expect([book.claim(target), book.claim(target), book.claim(target)]).toEqual([true, false, false]);
    expect(book.isTrial(target, clock.now())).toBe(true);
    book.settleTrial(target, true, clock.now());
    expect([book.claim(target), book.claim(target)]).toEqual([true, true]);
    expect(book.isTrial(target, clock.now())).toBe(false);
  });

  test('makes the next request the trial when the trial failed without a new disable', () => {
    const { book, clock, soft } = rig();
    soft(minute);
    clock.turn(minute);
    book.claim(target);
    book.settleTrial(target, false, clock.now());
    expect([book.claim(target), book.claim(target)]).toEqual([true, false]);
  });

  test('does not take the end of an older attempt for the end of the trial', () => {
    const { book, clock, soft } = rig();
    const begunBefore = clock.now();
    soft(minute);
    clock.turn(minute);
    book.claim(target);
    book.settleTrial(target, true, begunBefore);
    expect(book.claim(target)).toBe(false);
  });

  test('does not wait for ever for a trial that is never settled', () => {
    const { book, clock, soft } = rig({ trialMaxMs: 5000 });
    soft(minute);
    clock.turn(minute);
    expect(book.claim(target)).toBe(true);
    clock.turn(4999);
    expect(book.claim(target)).toBe(false);
    clock.turn(1);
    expect(book.claim(target)).toBe(true);
  });

  test('is owed after the disable of a person too, however late somebody comes', () => {
    const { book, clock } = rig();
    book.disable(target, { untilMs: clock.now() + minute, reason: 'Manual', hard: true });
    clock.turn(10 * minute);
    expect([book.claim(target), book.claim(target)]).toEqual([true, false]);
  });

  test('is owed anew after each disable, also one that others shared', () => {
    const { book, clock, soft, hear } = rig();
    soft(minute);
    clock.turn(minute);
    book.claim(target);
    hear(entryOfOther(clock, {}));
    expect(book.claim(target)).toBe(false);
    book.settleTrial(target, true, clock.now());
    clock.turn(minute);
    expect([book.claim(target), book.claim(target)]).toEqual([true, false]);
  });
});

describe('repeats', () => {
  test('count disables in a row, not failures of requests that were under way together', () => {
    const { book, clock, soft } = rig();
    soft(minute);
    soft(minute + 1);
    expect(book.repeats(target)).toBe(1);
    clock.turn(minute + 1);
    soft(2 * minute);
    expect(book.repeats(target)).toBe(2);
  });

  test('are forgotten after a calm as long as the last disable, and only then', () => {
    const { book, clock, soft } = rig();
    soft(minute);
    clock.turn(minute);
    book.claim(target);
    book.settleTrial(target, true, clock.now());
    clock.turn(minute - 1);
    expect(book.repeats(target)).toBe(1);
    clock.turn(1);
    expect(book.repeats(target)).toBe(0);
    soft(minute);
    expect(book.repeats(target)).toBe(1);
  });

  test('do not count what a person did', () => {
    const { book, clock } = rig();
    book.disable(target, { untilMs: clock.now() + minute, reason: 'Manual', hard: true });
    expect(book.repeats(target)).toBe(0);
  });
});

describe('changes', () => {
  test('are reported once each: disable, lengthening, clear', () => {
    const { book, changes, soft } = rig();
    const first = soft(minute);
    soft(minute - 1);
    const second = soft(2 * minute);
    book.clear(target);
    book.clear(target);
    expect(changes.map(({ entry }) => entry)).toEqual([first, second, undefined]);
  });

  test('report the end of a disable within 50 ms, though nobody asked', () => {
    const { changes, clock, soft } = rig();
    soft(minute);
    soft(minute + 10, 'key:team-a/openai');
    clock.turn(minute);
    expect(changes.slice(2)).toEqual([{ target, entry: undefined }]);
    clock.turn(50);
    expect(changes.slice(3)).toEqual([{ target: 'key:team-a/openai', entry: undefined }]);
  });

  test('report what is left when one of two kinds has ended', () => {
    const { changes, clock, soft, hard } = rig();
    hard(minute);
    const rest = soft(2 * minute);
    clock.turn(minute);
    expect(changes.at(-1)).toEqual({ target, entry: rest });
  });
});

describe('a full disable book', () => {
  test('refuses newcomers, says so once, and keeps what is in force', () => {
    const { book, clock, soft, lines, shared } = rig({ targetsMax: 3 });
    for (let n = 0; n < 5; n++) soft(minute, `backend:team-a/chat/b${n}`);
    expect(book.list()).toHaveLength(3);
    expect(shared).toHaveLength(3);
    clock.turn(1000);
    soft(minute, 'backend:team-a/chat/b9');
    expect(lines).toHaveLength(1);
  });

  test('gives up the memory of what is over before it refuses', () => {
    const { book, clock, soft } = rig({ targetsMax: 3 });
    for (let n = 0; n < 3; n++) soft(minute, `backend:team-a/chat/b${n}`);
    clock.turn(minute + 1000);
    soft(minute, 'backend:team-a/chat/b9');
    expect(book.until('backend:team-a/chat/b9')).not.toBe(0);
  });

  test('an idle one runs no timer and remembers nothing', () => {
    const { clock, soft, facts } = rig();
    soft(minute);
    expect(clock.pending).toBe(1);
    clock.turn(2 * day);
    expect(clock.pending).toBe(0);
    expect(facts()).toEqual([]);
  });
});
