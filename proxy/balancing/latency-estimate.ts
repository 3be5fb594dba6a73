// How long a backend usually takes until first content: an estimate that jumps up at once, comes down over half a minute,
// and fades while nothing is measured, so that a backend which nobody asks any more is asked again.

/**
 * Time over which an estimate follows what it measures, and fades without measurements to a third. Long enough that a
 * backend ten times slower than the others is tried once in a minute or so, short enough that one that has recovered
 * is back within two.
 */
const followMs = 30_000;

/** Estimates of one kind of answer of one backend. */
export class LatencyEstimate {
  #peakMs = 0;
  #meanMs: number | undefined;
  #atMs: number | undefined;

  /** Whether there is a peak: an answer was measured, or an attempt has failed. */
  get known(): boolean {
    return this.#atMs !== undefined;
  }

  /** Takes one measurement in. */
  measure(sampleMs: number, nowMs: number): void {
    const kept = this.#fading(nowMs);
    this.#meanMs = this.#meanMs === undefined ? sampleMs : this.#meanMs * kept + sampleMs * (1 - kept);
    this.#peak(sampleMs, kept, nowMs);
  }

  /** A failure: it must not look like a quick answer, and says nothing about how long answers take. */
  penalize(penaltyMs: number, nowMs: number): void {
    this.#peak(penaltyMs, this.#fading(nowMs), nowMs);
  }

  /**
   * What the next request has to reckon with: the slowest of late, milliseconds; faded where it is old. Peak EWMA, as in
   * https://github.com/twitter/finagle/blob/develop/finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala
   */
  peakMs(nowMs: number): number {
    return this.#peakMs * this.#fading(nowMs);
  }

  /** The usual time, milliseconds, however old; undefined before the first answer. */
  get meanMs(): number | undefined {
    return this.#meanMs;
  }

  /** The usual time, milliseconds, faded where it is old; undefined before the first answer. */
  usualMs(nowMs: number): number | undefined {
    return this.#meanMs === undefined ? undefined : this.#meanMs * this.#fading(nowMs);
  }

  #peak(sampleMs: number, kept: number, nowMs: number): void {
    const faded = this.#peakMs * kept;
    this.#peakMs = sampleMs >= this.#peakMs ? sampleMs : faded + sampleMs * (1 - kept);
    this.#atMs = nowMs;
  }

  #fading(nowMs: number): number {
    const ageMs = this.#atMs === undefined ? 0 : nowMs - this.#atMs;
    // A clock that was set back must not make anything grow.
    return ageMs <= 0 ? 1 : Math.exp(-ageMs / followMs);
  }
}
