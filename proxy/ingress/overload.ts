// Which new requests are shed when this process has more to do than it can. What has begun is never touched: admission
// is the only thing that is decided here, from samples that somebody else takes (telemetry/process-load.ts). Pure.

/** Why a request was shed. */
export const shedReasons = ['requests', 'event-loop', 'heap', 'memory'] as const;

/** Why a request was shed: `requests` is the cap on requests in flight. */
export type ShedReason = (typeof shedReasons)[number];

/** From where on requests are shed. */
export interface OverloadLimits {
  /** Requests in flight; 0 = any number. */
  readonly requestsMax: number;
  /** Mean delay of the event loop over a second, in milliseconds; 0 = the event loop is not looked at. */
  readonly loopDelayMeanMsMax: number;
  /** Share of the heap's and of the container's limit that may be in use, 0 to 1; 0 = memory is not looked at. */
  readonly memoryShareMax: number;
}

/** What a process saw of itself since the sample before. */
export interface LoadSample {
  /** How late timers were for what the process did itself, on average and at worst. */
  readonly loopDelayMeanMs: number;
  readonly loopDelayMaxMs: number;
  /** Share of the time in which the event loop had something to do, 0 to 1. */
  readonly loopUtilization: number;
  /** Shares of limits in use; 0 where there is no limit. */
  readonly heapShare: number;
  readonly memoryShare: number;
}

/** What has been shed, and what is being shed. */
export interface OverloadReport {
  /** Share of new requests that is shed now, for want of time or memory; the cap on requests in flight comes on top. */
  readonly shedShare: number;
  readonly shed: Readonly<Record<ShedReason, number>>;
}

/** Time between samples: short enough for shares to follow the load, ten of them make the second that is judged. */
export const loadSampleMs = 100;
/** Nothing is shed before it has been bad for a whole second: collections of garbage and large bodies pass. */
const samplesToBegin = 10;
/** A heap looks fullest just before it is collected: what it falls to within so many samples is what is really in use. */
const samplesOfMemory = 10;
/** A loop that rests is late for other reasons than load: a stopped process, a busy machine. */
const utilizationMin = 0.95;
/** Two seconds in a row with a turn this much longer than the limit are overload as well, however short the others were. */
const stallFactor = 4;
/** While shedding, the loop is kept this prompt, so that a refusal is not late itself; and well below the limit. */
const goalMs = 5;
const goalShare = 0.3;
/** A quarter of what was admitted is shed more with each bad sample, and 3 % of all is admitted more with each good one. */
const shedMoreShare = 0.25;
const admitMoreShare = 0.03;
/** Near the goal it is a tenth of that: the share would else swing about it, with a queue on one side and idleness on the other. */
const nearFactor = 0.1;
/** From this share on it is known about how much is too much: before, every step is a whole one. */
const knownShare = 0.3;
/** Three times over the goal is no longer near it. */
const farOver = 3;
/** Somebody must get through, or nobody would notice that it works again. */
const shedShareMax = 0.98;

/** Sheds a share of new requests that follows the load: additive in letting in, multiplicative in keeping out. */
export class OverloadGuard {
  readonly #limits: OverloadLimits;
  readonly #shed: Record<ShedReason, number> = { requests: 0, 'event-loop': 0, heap: 0, memory: 0 };
  #share = 0;
  #reason: ShedReason = 'event-loop';
  /** What has not been shed yet of the shares so far: spreads refusals evenly, without chance. */
  #due = 0;
  #window: LoadSample[] = [];
  #lastSecond: LoadSample[] = [];
  #lastSecondStalled = false;

  constructor(limits: OverloadLimits) {
    this.#limits = limits;
  }

  /** Undefined: the request is let in. Asked once for each, on the hot path. */
  shed(requestsInFlight: number): ShedReason | undefined {
    const { requestsMax } = this.#limits;
    if (requestsMax > 0 && requestsInFlight >= requestsMax) return this.#count('requests');
    if (this.#share === 0) return undefined;
    this.#due += this.#share;
    if (this.#due < 1) return undefined;
    this.#due -= 1;
    return this.#count(this.#reason);
  }

  /** Takes a sample, `loadSampleMs` after the last. */
  sample(load: LoadSample): void {
    const reason = this.#scarce(load) ?? this.#late(load);
    if (reason !== undefined) {
      this.#reason = reason;
      const step = reason === 'event-loop' ? this.#farness(load) : 1;
      this.#share = Math.min(shedShareMax, this.#share + (1 - this.#share) * shedMoreShare * step);
      return;
    }
    this.#share = Math.max(0, this.#share - admitMoreShare * (isBusy([load]) ? this.#farness(load) : 1));
    if (this.#share === 0) this.#due = 0;
  }

  /** Why new requests are shed now; undefined: they are not, but for the cap on requests in flight. */
  get shedding(): ShedReason | undefined {
    return this.#share === 0 ? undefined : this.#reason;
  }

  report(): OverloadReport {
    return { shedShare: this.#share, shed: { ...this.#shed } };
  }

  #count(reason: ShedReason): ShedReason {
    this.#shed[reason] += 1;
    return reason;
  }

  /** Which part of a whole step is right for a loop that is so late: 1 far over the goal, or far below it. */
  #farness({ loopDelayMeanMs }: LoadSample): number {
    if (this.#share < knownShare) return 1;
    const ratio = loopDelayMeanMs / this.#goalMs();
    return Math.min(1, Math.max(nearFactor, ratio > 1 ? (ratio - 1) / farOver : 1 - ratio));
  }

  /** Infinity where the event loop is not looked at. */
  #goalMs(): number {
    const { loopDelayMeanMsMax } = this.#limits;
    return loopDelayMeanMsMax === 0 ? Infinity : Math.min(goalMs, loopDelayMeanMsMax * goalShare);
  }

  #scarce(load: LoadSample): ShedReason | undefined {
    const { memoryShareMax } = this.#limits;
    if (memoryShareMax === 0) return undefined;
    this.#lastSecond.push(load);
    if (this.#lastSecond.length < samplesOfMemory) return undefined;
    if (this.#lastSecond.length > samplesOfMemory) this.#lastSecond.shift();
    if (this.#lastSecond.every(({ heapShare }) => heapShare > memoryShareMax)) return 'heap';
    return this.#lastSecond.every(({ memoryShare }) => memoryShare > memoryShareMax) ? 'memory' : undefined;
  }

  #late(load: LoadSample): ShedReason | undefined {
    const { loopDelayMeanMsMax } = this.#limits;
    if (loopDelayMeanMsMax === 0) return undefined;
    if (this.#share > 0) {
      return isBusy([load]) && load.loopDelayMeanMs > this.#goalMs() ? 'event-loop' : undefined;
    }
    this.#window.push(load);
    if (this.#window.length < samplesToBegin) return undefined;
    const second = this.#window;
    this.#window = [];
    const busy = isBusy(second);
    const stalled = busy && second.some(({ loopDelayMaxMs }) => loopDelayMaxMs > loopDelayMeanMsMax * stallFactor);
    const late = busy && mean(second.map(({ loopDelayMeanMs }) => loopDelayMeanMs)) > loopDelayMeanMsMax;
    const again = stalled && this.#lastSecondStalled;
    this.#lastSecondStalled = stalled;
    return late || again ? 'event-loop' : undefined;
  }
}

function isBusy(samples: readonly LoadSample[]): boolean {
  return mean(samples.map(({ loopUtilization }) => loopUtilization)) > utilizationMin;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
