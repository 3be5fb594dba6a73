import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptRecord, Trail } from '../../../proxy/accounting/trail.ts';
import { type FailureClass, failureClasses } from '../../../proxy/canonical/failure.ts';
import { HealthBook } from '../../../proxy/health/health-score.ts';
import { failureOf } from '../routing/failures.ts';

const id = 'a/chat/one';

/** A book, and attempts that are told to it. */
class Told {
  readonly book = new HealthBook();
  nowMs = 1_700_000_000_000;

  attempt(outcome: number | FailureClass, stream = true): void {
    const trail = { stream } as Trail;
    const record = { backend: id, startedAtMs: this.nowMs } as AttemptRecord;
    if (typeof outcome === 'number') {
      this.nowMs += outcome;
      record.firstContentAtMs = this.nowMs;
      this.book.observer.attemptAnswered?.(trail, record);
    } else {
      record.failure = failureOf(outcome);
    }
    record.endedAtMs = this.nowMs;
    this.book.observer.attemptEnded?.(trail, record);
  }

  attempts(count: number, outcome: number | FailureClass, everyMs = 100): this {
    for (let n = 0; n < count; n += 1) {
      this.attempt(outcome);
      this.nowMs += everyMs;
    }
    return this;
  }

  get score(): number {
    return this.book.scoreOf(id, this.nowMs);
  }
}

describe('the health of a backend', () => {
  it('is 1 where nothing was ever sent, and where all is well', () => {
    expect(new Told().score).toBe(1);
    expect(new Told().attempts(100, 50).score).toBe(1);
  });

  it('is halved by one failure alone, and hardly touched by one among many', () => {
    expect(new Told().attempts(1, 'ServerError', 0).score).toBe(0.5);
    expect(new Told().attempts(99, 50, 0).attempts(1, 'Timeout', 0).score).toBeGreaterThan(0.98);
  });

  it('goes towards 0 while everything fails, and comes back by successes or by time', () => {
    const told = new Told().attempts(50, 'Connect');
    expect(told.score).toBeLessThan(0.03);
    const later = new Told().attempts(50, 'Connect');
    told.attempts(500, 10);
    expect(told.score).toBeGreaterThan(0.85);
    later.nowMs += 10 * 60_000;
    expect(later.score).toBeGreaterThan(0.99);
  });

  it('is not touched by what is a client’s, a key’s or a limit’s matter', () => {
    const told = new Told();
    const blameless = failureClasses.filter((name) => told.attempts(1, name).score === 1);
    // Each that counts leaves its mark on all that follow, so that only those before the first can be told here.
    expect(blameless).toEqual([]);
    const counted = failureClasses.filter((name) => new Told().attempts(1, name, 0).score < 1);
    expect(counted.toSorted()).toEqual(
      ['Connect', 'InvalidResponse', 'Overloaded', 'ServerError', 'Stalled', 'TLS', 'Timeout', 'Truncated'].toSorted(),
    );
  });

  it('falls when answers take more than twice as long as they used to, and recovers', () => {
    const told = new Told().attempts(600, 100, 1000);
    told.attempts(20, 180, 1000);
    expect(told.score).toBe(1);
    told.attempts(120, 1000, 1000);
    expect(told.score).toBeLessThan(0.7);
    told.attempts(240, 100, 1000);
    expect(told.score).toBeGreaterThan(0.95);
  });

  it('does not take whole answers for slow streams', () => {
    const told = new Told();
    for (let n = 0; n < 200; n += 1) told.attempt(n % 2 === 0 ? 20 : 20_000, n % 2 === 0);
    expect(told.score).toBe(1);
  });

  it('is forgotten with the backend', () => {
    const told = new Told().attempts(3, 'TLS');
    told.book.retain(() => false);
    expect(told.score).toBe(1);
  });

  it('is a number from 0 to 1, whatever happens and whatever the clock does', () => {
    const outcome = fc.oneof(fc.integer({ min: 0, max: 600_000 }), fc.constantFrom(...failureClasses));
    const step = fc.tuple(outcome, fc.integer({ min: -100_000, max: 1_000_000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const told = new Told();
        for (const [what, passMs] of steps) {
          told.attempt(what);
          told.nowMs += passMs;
          expect(told.score).toBeGreaterThanOrEqual(0);
          expect(told.score).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
