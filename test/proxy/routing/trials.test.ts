import { describe, expect, it } from 'vitest';
import { createTrials, type TrialRight, type Trials } from '../../../proxy/routing/trials.ts';
import { TestClock } from '../../support/clock.ts';

const target = 'backend:a/chat/one';
const period = 30_000;

/** Rights as a store would keep them for several proxies: one at a time, ending with their time. */
class Fleet {
  readonly clock = new TestClock();
  readonly asked: { readonly name: string; readonly ttlMs: number }[] = [];
  #untilMs = 0;

  proxy(): Trials {
    return createTrials({
      clock: this.clock,
      claim: async (name, ttlMs) => {
        this.asked.push({ name, ttlMs });
        if (this.clock.now() < this.#untilMs) return undefined;
        this.#untilMs = this.clock.now() + ttlMs;
        const right: TrialRight = { letGo: () => {}, giveBack: () => void (this.#untilMs = 0) };
        return right;
      },
    });
  }
}

describe('a trial', () => {
  it('is made by one of those who ask, in all proxies', async () => {
    const fleet = new Fleet();
    const [one, two] = [fleet.proxy(), fleet.proxy()];
    const asked = [one, two, one, two].map((trials) => trials.begin(target, undefined));
    expect(await Promise.all(asked)).toEqual([true, false, false, false]);
    // What runs here need not be asked for elsewhere.
    expect(fleet.asked).toHaveLength(2);
    expect(fleet.asked[0]).toEqual({ name: `trial:${target}`, ttlMs: 10_000 });
    expect([one.isRipe(target), two.isRipe(target)]).toEqual([false, false]);
  });

  it('may be followed by the next one as soon as it has succeeded, and when the others know that it has failed', async () => {
    const fleet = new Fleet();
    const [one, two] = [fleet.proxy(), fleet.proxy()];
    await one.begin(target, undefined);
    one.end(target, 'succeeded');
    expect(one.isRipe(target)).toBe(true);
    expect(await two.begin(target, undefined)).toBe(true);
    two.end(target, 'failed');
    expect(await one.begin(target, undefined)).toBe(false);
    fleet.clock.turn(100);
    expect(await one.begin(target, undefined)).toBe(true);
  });

  it('is not asked for again for a moment after somebody else had the right', async () => {
    const fleet = new Fleet();
    const [one, two] = [fleet.proxy(), fleet.proxy()];
    await one.begin(target, undefined);
    expect(await two.begin(target, undefined)).toBe(false);
    one.end(target, 'succeeded');
    expect([two.isRipe(target), await two.begin(target, undefined)]).toEqual([false, false]);
    expect(fleet.asked).toHaveLength(2);
    fleet.clock.turn(100);
    expect([two.isRipe(target), await two.begin(target, undefined)]).toEqual([true, true]);
  });

  it('whose client leaves is taken over at once', async () => {
    const fleet = new Fleet();
    const one = fleet.proxy();
    await one.begin(target, undefined);
    one.end(target, 'abandoned');
    expect(await one.begin(target, undefined)).toBe(true);
    one.end(target, 'unused');
    // It may have hung, and the next one would: a period is a period.
    expect(await one.begin(target, period)).toBe(true);
    one.end(target, 'abandoned');
    fleet.clock.turn(period - 1);
    expect(one.isRipe(target)).toBe(false);
  });

  it('that is not this proxy’s ends nothing', async () => {
    const fleet = new Fleet();
    const [one, two] = [fleet.proxy(), fleet.proxy()];
    await one.begin(target, undefined);
    two.end(target, 'succeeded');
    two.end('backend:a/chat/other', 'succeeded');
    expect(await two.begin(target, undefined)).toBe(false);
  });
});

describe('a trial with a period', () => {
  it('that fails keeps everybody from the next one until the period is over', async () => {
    const fleet = new Fleet();
    const [one, two] = [fleet.proxy(), fleet.proxy()];
    const begun: number[] = [];
    const startMs = fleet.clock.now();
    // A request in each proxy every 20 ms, for ten periods.
    for (let ms = 0; ms < 10 * period; ms += 20) {
      for (const trials of [one, two]) {
        if (!trials.isRipe(target) || !(await trials.begin(target, period))) continue;
        begun.push(fleet.clock.now() - startMs);
        trials.end(target, 'failed');
      }
      fleet.clock.turn(20);
    }
    expect(begun.length).toBeGreaterThanOrEqual(9);
    const gaps = begun.slice(1).map((atMs, index) => atMs - (begun[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(period);
    // Late by no more than the time between two questions.
    expect(Math.max(...gaps)).toBeLessThanOrEqual(period + 1040);
    // One question a second and proxy at most, and each of its own trials.
    expect(fleet.asked.length).toBeLessThan(2 * (10 * 30 + 10));
  });

  it('that came to nothing leaves its turn to the next request', async () => {
    const fleet = new Fleet();
    const one = fleet.proxy();
    await one.begin(target, period);
    one.end(target, 'unused');
    expect(one.isRipe(target)).toBe(true);
    expect(await one.begin(target, period)).toBe(true);
  });

  it('is over for good by a success', async () => {
    const fleet = new Fleet();
    const [one, two] = [fleet.proxy(), fleet.proxy()];
    await one.begin(target, period);
    one.end(target, 'succeeded');
    expect(await two.begin(target, period)).toBe(true);
  });
});

it('remembers no more targets than there may be backends', async () => {
  const fleet = new Fleet();
  const trials = createTrials({ clock: fleet.clock, claim: async () => undefined });
  for (let n = 0; n < 10_000; n += 1) await trials.begin(`t${n}`, undefined);
  expect(trials.isRipe('t0')).toBe(false);
  fleet.clock.turn(200);
  await trials.begin('one more', undefined);
  expect(trials.isRipe('t0')).toBe(true);
});
