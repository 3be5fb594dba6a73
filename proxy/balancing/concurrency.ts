// How many requests a backend that has begun to refuse may be sent at once. A backend that does not refuse has no limit.
//
// Signals are refusals and silence until a deadline. Limits by latency (Netflix' gradient, Envoy's adaptive concurrency)
// compare requests of one kind; a model takes 200 ms or 2 min by the length of a prompt, and Envoy's probe of the least
// latency would let three requests through at a time. This takes away nothing that is served: deploy/decisions/0005.

import type { Clock } from '../canonical/clock.ts';
import type { Failure } from '../canonical/failure.ts';

/** A backend is never held below this, so that an overload that is not of our making (Anthropic's 529) costs little. */
export const concurrencyMin = 10;
/** A limit grows by a quarter every second without a refusal: from 10 to 90 in ten seconds, to one more of 40 in 0.1 s. */
const growthPerSecond = 1.25;
/** So long after the last refusal a limit is forgotten: it would have grown to 28 times of what it was. */
export const concurrencyCalmMs = 15_000;
/** When a backend that is full may have room again: the next answer may be a moment away. */
export const fullRestMs = 1000;

interface Limit {
  /** Requests that the backend was working on when it last refused one. */
  base: number;
  refusedAtMs: number;
}

/** What limits need to know. */
export interface ConcurrencySettings {
  readonly clock: Clock;
  /** Requests that this process has sent to a backend and that have not ended. */
  readonly inFlightOf: (backendId: string) => number;
}

/** An attempt that has ended, as far as limits depend on it. */
export interface EndedAttempt {
  readonly backend: string;
  /** The upstream key, if one was used. */
  readonly key: string | undefined;
  readonly failure?: Failure;
}

/** Limits of the backends that refused lately: a quarter more every second, cut to what is being served. */
export class ConcurrencyLimits {
  readonly #clock: Clock;
  readonly #inFlightOf: (backendId: string) => number;
  readonly #limits = new Map<string, Limit>();

  constructor({ clock, inFlightOf }: ConcurrencySettings) {
    this.#clock = clock;
    this.#inFlightOf = inFlightOf;
  }

  /** Hears of every attempt when it is no longer in flight. */
  ended({ backend, key, failure }: EndedAttempt): void {
    if (failure === undefined || !isRefusal(failure, key)) return;
    const now = this.#clock.now();
    // Those that are still being worked on are what the backend takes. If it refuses them too, each cuts by one.
    const base = Math.max(concurrencyMin, Math.min(this.#inFlightOf(backend), this.limitOf(backend) ?? Infinity));
    this.#limits.set(backend, { base, refusedAtMs: now });
  }

  /** How many may be in flight at once; undefined = any number. */
  limitOf(backend: string): number | undefined {
    const limit = this.#limits.get(backend);
    if (limit === undefined) return undefined;
    const calmMs = Math.max(0, this.#clock.now() - limit.refusedAtMs);
    if (calmMs < concurrencyCalmMs) return Math.floor(limit.base * growthPerSecond ** (calmMs / 1000));
    this.#limits.delete(backend);
    return undefined;
  }

  /** 0: the backend may be sent one more. Else Unix milliseconds at which to ask again. On the hot path. */
  fullUntil(backend: string): number {
    if (this.#limits.size === 0) return 0;
    const limit = this.limitOf(backend);
    if (limit === undefined || this.#inFlightOf(backend) < limit) return 0;
    return this.#clock.now() + fullRestMs;
  }
}

/** Overload and silence; a rate limit only where it is not a key's, nor the client's own. */
function isRefusal({ class: failureClass, scope, client }: Failure, key: string | undefined): boolean {
  switch (failureClass) {
    case 'Overloaded':
    case 'Timeout':
      return true;
    case 'RateLimit':
      return key === undefined && client === undefined && scope !== 'none';
    default:
      return false;
  }
}
