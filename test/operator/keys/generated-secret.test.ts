import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planSecret } from '../../../operator/keys/generated-secret.ts';
import { generatedKey, generatedSecret, hour, type KeyChanges, now, time } from './generated-key.ts';

type Annotations = Readonly<Record<string, string>>;

const madeAt = (awayMs: number): Annotations => ({ 'sluice.dev/made-at': time(awayMs) });
const rotate = (value: string): Annotations => ({ 'sluice.dev/rotate': value });
const none = { type: 'none', nextAtMs: undefined };

describe('the Secret of a generated key', () => {
  it('is made where there is none', () => {
    expect(planSecret(generatedKey(), undefined, now)).toEqual({ type: 'create' });
  });

  it('is left alone while there is nothing to do, until something changes', () => {
    expect(planSecret(generatedKey(), generatedSecret(), now)).toEqual(none);
  });

  it.each([[[]], [['uid-of-another']]])('is foreign if its owners are %j, whatever else it says', (ownerUIDs) => {
    const key = generatedKey({ rotation: { periodSeconds: 3600 }, annotations: rotate('now') });
    for (const data of [{}, { key: 'CANARY', previous: 'CANARY' }]) {
      expect(planSecret(key, generatedSecret({ ownerUIDs, data, labels: {} }), now)).toEqual({ type: 'foreign' });
    }
  });

  it('is nobody’s for a key without a uid', () => {
    expect(planSecret(generatedKey({ uid: undefined }), generatedSecret(), now)).toEqual({ type: 'foreign' });
  });

  it.each([[{}], [{ key: '' }], [{ key: ' \n' }], [{ other: 'x' }]])('gets a new key where it has none: %j', (data) => {
    expect(planSecret(generatedKey(), generatedSecret({ data }), now)).toMatchObject({
      type: 'rotate',
      reason: 'Missing',
      keep: undefined,
    });
  });

  it('keeps the previous key where it is the current one that is missing', () => {
    const annotations = { ...madeAt(-hour), 'sluice.dev/previous-until': time(hour) };
    const secret = generatedSecret({ data: { previous: 'CANARY-before' }, annotations });
    const keep = { value: 'CANARY-before', until: now + hour };
    expect(planSecret(generatedKey(), secret, now)).toEqual({ type: 'rotate', reason: 'Missing', keep });
  });

  it.each([
    ['without its label', { labels: {} }, now - hour],
    ['with another value of its label', { labels: { 'sluice.dev/credential': 'false' } }, now - hour],
    ['without a time of making', { annotations: {} }, now],
    ['with one that is no time', { annotations: { 'sluice.dev/made-at': 'yesterday' } }, now],
    ['with a number for one', { annotations: { 'sluice.dev/made-at': '1' } }, now],
    ['with one far ahead', { annotations: madeAt(24 * hour) }, now],
  ])('%s is mended, and not renewed', (_what, changes, madeAtMs) => {
    const key = generatedKey({ rotation: { periodSeconds: 7200 } });
    expect(planSecret(key, generatedSecret(changes), now)).toEqual({ type: 'mend', madeAtMs });
  });
});

describe('a key with a period', () => {
  const rotation = { periodSeconds: 7200, overlapSeconds: 600 };
  const keep = { value: 'CANARY-current', until: now + 600_000 };

  it('is renewed when the period is over, and not before', () => {
    const at = (awayMs: number) => planSecret(generatedKey({ rotation }), generatedSecret(), now + awayMs);
    expect(at(0)).toEqual({ type: 'none', nextAtMs: now + hour });
    expect(at(hour - 1)).toEqual({ type: 'none', nextAtMs: now + hour });
    expect(at(hour)).toMatchObject({ type: 'rotate', reason: 'Due' });
    expect(at(1000 * hour)).toMatchObject({ type: 'rotate', reason: 'Due' });
  });

  it('goes on working for the overlap', () => {
    const secret = generatedSecret({ annotations: madeAt(-2 * hour) });
    expect(planSecret(generatedKey({ rotation }), secret, now)).toEqual({ type: 'rotate', reason: 'Due', keep });
  });

  it.each([[undefined], [0]])('ends at once where the overlap is %s', (overlapSeconds) => {
    const short = { periodSeconds: 7200, ...(overlapSeconds === undefined ? {} : { overlapSeconds }) };
    const secret = generatedSecret({ annotations: madeAt(-2 * hour) });
    expect(planSecret(generatedKey({ rotation: short }), secret, now)).toMatchObject({ keep: undefined });
  });

  it('believes a clock that goes a little ahead', () => {
    const secret = generatedSecret({ annotations: madeAt(60_000) });
    expect(planSecret(generatedKey({ rotation }), secret, now)).toEqual({
      type: 'none',
      nextAtMs: now + 60_000 + 2 * hour,
    });
  });
});

describe('the annotation sluice.dev/rotate', () => {
  const plan = (changes: KeyChanges, annotations: Annotations = {}) =>
    planSecret(generatedKey(changes), generatedSecret({ annotations: { ...madeAt(-hour), ...annotations } }), now);

  it('asks for a new key when it first appears, and when it changes', () => {
    const requested = { type: 'rotate', reason: 'Requested', keep: undefined };
    expect(plan({ annotations: rotate('1') })).toEqual(requested);
    expect(plan({ annotations: rotate('') })).toEqual(requested);
    expect(plan({ annotations: rotate('2') }, rotate('1'))).toEqual(requested);
  });

  it('asks for nothing once it is handled, nor when it is taken away', () => {
    expect(plan({ annotations: rotate('1') }, rotate('1'))).toEqual(none);
    expect(plan({}, rotate('1'))).toEqual(none);
  });

  it('keeps only the last of the keys before, also within their overlap', () => {
    const annotations = { ...madeAt(-hour), 'sluice.dev/previous-until': time(hour) };
    const secret = generatedSecret({ annotations, data: { key: ' CANARY-second\n', previous: 'CANARY-first' } });
    const key = generatedKey({ annotations: rotate('1'), rotation: { overlapSeconds: 60 } });
    const keep = { value: 'CANARY-second', until: now + 60_000 };
    expect(planSecret(key, secret, now)).toEqual({ type: 'rotate', reason: 'Requested', keep });
  });
});

describe('a previous key', () => {
  const plan = (annotations: Annotations, data: Readonly<Record<string, string>>, changes: KeyChanges = {}) =>
    planSecret(
      generatedKey(changes),
      generatedSecret({ annotations: { ...madeAt(-hour), ...annotations }, data: { key: 'CANARY', ...data } }),
      now,
    );
  const previous = { previous: 'CANARY-before' };

  it('stays until its time is up', () => {
    expect(plan({ 'sluice.dev/previous-until': time(1) }, previous)).toEqual({ type: 'none', nextAtMs: now + 1 });
    expect(plan({ 'sluice.dev/previous-until': time(0) }, previous)).toEqual({ type: 'drop-previous' });
  });

  it('is looked at again before the next renewal, if that is later', () => {
    const changes = { rotation: { periodSeconds: 7200 } };
    expect(plan({ 'sluice.dev/previous-until': time(5) }, previous, changes)).toMatchObject({ nextAtMs: now + 5 });
    expect(plan({ 'sluice.dev/previous-until': time(9 * hour) }, previous, changes)).toMatchObject({
      nextAtMs: now + hour,
    });
  });

  it.each([
    ['that says nothing of its end', {}, previous],
    ['whose end is no time', { 'sluice.dev/previous-until': 'soon' }, previous],
    ['of which only the end is left', { 'sluice.dev/previous-until': time(hour) }, {}],
    ['that is empty', { 'sluice.dev/previous-until': time(hour) }, { previous: '' }],
  ])('%s is dropped', (_what, annotations, data) => {
    expect(plan(annotations, data)).toEqual({ type: 'drop-previous' });
  });
});

it('never plans to look again at once, whatever the annotations say', () => {
  const text = fc.oneof(
    fc.string(),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.integer({ min: -5 * hour, max: 5 * hour }).map(time),
  );
  const names = fc.constantFrom('sluice.dev/made-at', 'sluice.dev/previous-until', 'sluice.dev/rotate');
  const texts = fc.dictionary(names, text);
  const data = fc.dictionary(fc.constantFrom('key', 'previous'), fc.constantFrom('CANARY', '', ' '));
  fc.assert(
    fc.property(texts, texts, data, (asked, annotations, entries) => {
      const key = generatedKey({ annotations: asked, rotation: { periodSeconds: 3600, overlapSeconds: 60 } });
      const plan = planSecret(key, generatedSecret({ annotations, data: entries }), now);
      expect(plan.type !== 'none' || (plan.nextAtMs ?? Infinity) > now).toBe(true);
    }),
  );
});
