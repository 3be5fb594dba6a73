// How well a backend has been of late, as one number for people and dashboards: 1 is well, 0 is not. Nothing is decided by
// it. Knows attempts of this proxy only.

import type { AttemptRecord, Observer } from '../accounting/trail.ts';
import type { FailureClass } from '../canonical/failure.ts';

/** What counts against a backend (failure.md); everything else is a client's, a key's or a limit's matter. */
const unwell: ReadonlySet<FailureClass> = new Set([
  'Connect',
  'TLS',
  'Timeout',
  'ServerError',
  'Overloaded',
  'InvalidResponse',
  'Truncated',
  'Stalled',
]);

/** Outcomes and times count less and less: after this long a third. Long enough to be seen, short enough to be news. */
const recentMs = 60_000;
/** What is usual for a backend is what it has been over this long. */
const usualMs = 30 * 60_000;
/** Answers that take twice as long as usual are still well: prompts differ. */
const toleratedFactor = 2;

/** A mean that follows what it is told; at first it is the plain mean of all. */
class MovingMean {
  value = 0;
  #count = 0;
  #atMs = 0;
  readonly #overMs: number;

  constructor(overMs: number) {
    this.#overMs = overMs;
  }

  add(sample: number, nowMs: number): void {
    this.#count += 1;
    const weight = Math.max(1 / this.#count, 1 - kept(nowMs - this.#atMs, this.#overMs));
    this.value += (sample - this.value) * weight;
    this.#atMs = nowMs;
  }
}

/** The times of one kind of answer, of late and as usual. */
class Pace {
  readonly #recent = new MovingMean(recentMs);
  readonly #usual = new MovingMean(usualMs);
  #atMs: number | undefined;

  add(tookMs: number, nowMs: number): void {
    this.#recent.add(tookMs, nowMs);
    this.#usual.add(tookMs, nowMs);
    this.#atMs = nowMs;
  }

  /** 1 as long as it is about as fast as usual; what was measured long ago says little. */
  score(nowMs: number): number {
    if (this.#atMs === undefined || this.#recent.value <= 0) return 1;
    const pace = Math.min(1, (toleratedFactor * this.#usual.value) / this.#recent.value);
    return 1 - kept(nowMs - this.#atMs, recentMs) * (1 - pace);
  }
}

/** What is known of one backend. */
class Health {
  #good = 0;
  #bad = 0;
  #atMs = 0;
  readonly #streams = new Pace();
  readonly #others = new Pace();

  answered(stream: boolean, tookMs: number, nowMs: number): void {
    this.#fade(nowMs);
    this.#good += 1;
    (stream ? this.#streams : this.#others).add(tookMs, nowMs);
  }

  failed(nowMs: number): void {
    this.#fade(nowMs);
    this.#bad += 1;
  }

  score(nowMs: number): number {
    const share = kept(nowMs - this.#atMs, recentMs);
    const [good, bad] = [this.#good * share, this.#bad * share];
    // One success on credit: without any outcome a backend is well, and one failure alone is not the end.
    const outcomes = (1 + good) / (1 + good + bad);
    return outcomes * Math.min(this.#streams.score(nowMs), this.#others.score(nowMs));
  }

  #fade(nowMs: number): void {
    const share = kept(nowMs - this.#atMs, recentMs);
    this.#good *= share;
    this.#bad *= share;
    this.#atMs = nowMs;
  }
}

/** The health of all backends. */
export class HealthBook {
  readonly #backends = new Map<string, Health>();

  /** From 0 to 1; 1 where nothing is known, or nothing of late. */
  scoreOf(backendId: string, nowMs: number): number {
    return this.#backends.get(backendId)?.score(nowMs) ?? 1;
  }

  /** Forgets backends that no configuration names any more. */
  retain(isKnown: (backendId: string) => boolean): void {
    for (const id of this.#backends.keys()) if (!isKnown(id)) this.#backends.delete(id);
  }

  /** Tells the book of every attempt. */
  readonly observer: Observer = {
    attemptAnswered: ({ stream }, { backend, startedAtMs, firstContentAtMs }: AttemptRecord) => {
      if (firstContentAtMs === undefined) return;
      this.#open(backend).answered(stream === true, firstContentAtMs - startedAtMs, firstContentAtMs);
    },
    attemptEnded: (_trail, { backend, failure, startedAtMs, endedAtMs = startedAtMs }: AttemptRecord) => {
      if (failure !== undefined && unwell.has(failure.class)) this.#open(backend).failed(endedAtMs);
    },
  };

  #open(backendId: string): Health {
    let health = this.#backends.get(backendId);
    if (health === undefined) this.#backends.set(backendId, (health = new Health()));
    return health;
  }
}

/** What is left after a time; a clock that was set back must not make anything grow. */
function kept(ageMs: number, overMs: number): number {
  return ageMs <= 0 ? 1 : Math.exp(-ageMs / overMs);
}
