// What is read from Redis may have been written by anybody.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRedisKeys, fromRecordName, toRecordName } from '../../../proxy/state/redis-keys.ts';
import { isSeen, toCommand, toNews, toPage, type RedisRecord } from '../../../proxy/state/redis-wire.ts';
import { createStoreClock } from '../../../proxy/state/store-clock.ts';
import { foreverMs, type DisableEntry } from '../../../proxy/state/store.ts';
import { TestClock } from '../../support/clock.ts';

const keys = createRedisKeys('default');
const clock = new TestClock();
const storeClock = createStoreClock(clock);
const nowMs = clock.now();
const target = 'backend:team-a/chat/gpt4#llama3:8b';
const entry: DisableEntry = {
  id: 'proxy-1.abc.0',
  target,
  hard: true,
  reason: 'Quota',
  sinceMs: nowMs - 1000,
  untilMs: nowMs + 5000,
  by: 'proxy-1',
  generation: 7,
};

/** A record as the read script returns it; some fields changed. */
function record(changed: Partial<Record<'name' | 'generation' | 'until' | 'since' | 'id' | 'by' | 'reason', string>>) {
  const plain = {
    name: `${target}:hard`,
    generation: '7',
    until: String(nowMs + 5000),
    since: String(nowMs - 1000),
    id: 'proxy-1.abc.0',
    by: 'proxy-1',
    reason: 'Quota',
  };
  const { name, ...fields } = { ...plain, ...changed };
  return { name, id: fields.id, fields: Object.values(fields) } satisfies RedisRecord;
}

describe('names in Redis', () => {
  test('are taken apart as they were put together, whatever the model is called', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.constantFrom('hard', 'soft', 'clear'), (of, kind) => {
        expect(fromRecordName(toRecordName(of, kind))).toEqual({ target: of, kind });
      }),
    );
  });

  test('all have the hash tag of the installation, and only one', () => {
    const own = createRedisKeys('de}fa{ult');
    for (const key of [own.log, own.index, own.proxies, own.channel, own.record('x')]) {
      expect(key).toMatch(/^\{sluice:de_fa_ult\}:/);
    }
  });
});

describe('a command', () => {
  test('carries durations and one estimate of the store’s time, never this process’s clock', () => {
    const { args } = toCommand(keys, { type: 'disable', entry }, nowMs, 123_456.7);
    const [name, remaining, age, generation, id, by, reason, channel, sent] = args;
    expect([name, remaining, age, generation]).toEqual([`${target}:hard`, '5000', '1000', '7']);
    expect([id, by, reason, channel, sent]).toEqual([entry.id, 'proxy-1', 'Quota', keys.channel, '123456']);
    expect(args.some((it) => it.includes(String(nowMs)))).toBe(false);
  });

  test('says "forever" for what only a person ends', () => {
    const forever = { ...entry, untilMs: foreverMs };
    expect(toCommand(keys, { type: 'disable', entry: forever }, nowMs, nowMs).args[1]).toBe('forever');
  });
});

describe('a record', () => {
  test('is news by this process’s clock', () => {
    expect(toNews(record({}), storeClock)).toEqual({ type: 'disable', entry });
    expect(toNews(record({ until: String(foreverMs) }), storeClock)).toMatchObject({ entry: { untilMs: foreverMs } });
    expect(toNews(record({ name: `${target}:clear` }), storeClock)).toEqual({
      type: 'clear',
      clear: { target, generation: 7 },
    });
  });

  test.each([
    { name: 'nonsense' },
    { name: ':hard' },
    { name: `${target}:medium` },
    { name: `${'x'.repeat(2000)}:hard` },
    { generation: '' },
    { generation: '-1' },
    { generation: '1e3' },
    // From the year 5138: it would void every disable until then.
    { generation: '99999999999999' },
    { until: 'NaN' },
    { until: '99999999999999999999' },
    { since: '' },
    { id: '' },
    { id: 'x'.repeat(2000) },
    { by: 'x'.repeat(2000) },
    { reason: 'Boredom' },
    { reason: 'constructor' },
  ])('that makes no sense is no news: %o', (changed) => {
    expect(toNews(record(changed), storeClock)).toBeUndefined();
  });

  test('of any form never throws, and is never news without an end', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('', '0', '-0', '1.5', 'NaN', '9007199254740993', '1e400'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 7, maxLength: 7 }), (fields) => {
        const news = toNews({ name: `${fields[0]}:hard`, id: '', fields: fields.slice(1) }, storeClock);
        if (news?.type === 'disable') expect(Number.isSafeInteger(news.entry.untilMs)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('an answer', () => {
  test('is a page of records', () => {
    const page = toPage([String(nowMs), 'e', '9', '', 3, '9', 1, `${target}:hard`, ...record({}).fields]);
    expect(page).toMatchObject({ nowMs, epoch: 'e', revision: 9, refused: '', proxies: 3, last: '9', isFull: false });
    expect(page.records).toEqual([record({})]);
  });

  test.each([undefined, null, 'OK', [], [1, 2, 3]])('that is not one is refused: %o', (reply) => {
    expect(() => toPage(reply)).toThrow('unreadable');
  });

  test('says which facts Redis has already', () => {
    const seen = new Map([
      [`${target}:hard`, entry.id],
      [`${target}:clear`, '7'],
    ]);
    expect(isSeen({ type: 'disable', entry }, seen)).toBe(true);
    expect(isSeen({ type: 'disable', entry: { ...entry, id: 'other' } }, seen)).toBe(false);
    expect(isSeen({ type: 'clear', clear: { target, generation: 7 } }, seen)).toBe(true);
    expect(isSeen({ type: 'clear', clear: { target, generation: 8 } }, seen)).toBe(false);
    const endless = { ...entry, target: 'x'.repeat(2000) };
    expect(isSeen({ type: 'disable', entry: endless }, seen), 'is never told').toBe(true);
  });
});
