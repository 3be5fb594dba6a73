// The deadlines of one answer, with one timer: it is set for the next that could pass and looks again when it fires, so
// that progress costs an assignment and not a timer.

import type { TransportFault } from '../canonical/failure.ts';
import type { Clock, Timer } from '../canonical/clock.ts';

/** How long what may take. */
export interface AnswerTimeouts {
  readonly firstContentMs: number;
  readonly responseMs: number;
  readonly idleMs: number;
}

/** Which deadline has passed: one of the answer's own, or that of the whole request. */
export type Expiry = Extract<TransportFault, 'headers-timeout' | 'content-timeout' | 'idle-timeout'> | 'deadline';

/** Watches one answer. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #deadlineAtMs: number;
  readonly #idleMs: number;
  readonly #expired: (expiry: Expiry) => void;
  #fault: Exclude<Expiry, 'deadline'> = 'headers-timeout';
  #allowedMs: number;
  #progressAtMs: number;
  #timer: Timer | undefined;
  #suspended = false;

  /** `firstMs` is what may pass until headers (or, in a stream, until content). */
  constructor(
    clock: Clock,
    settings: { readonly firstMs: number; readonly idleMs: number; readonly deadlineAtMs: number },
    expired: (expiry: Expiry) => void,
  ) {
    this.#clock = clock;
    this.#deadlineAtMs = settings.deadlineAtMs;
    this.#idleMs = settings.idleMs;
    this.#allowedMs = settings.firstMs;
    this.#expired = expired;
    this.#progressAtMs = clock.now();
    this.#arm();
  }

  /** Headers of a stream have come: what is waited for now is content, and the wait goes on. */
  headersOfStream(): void {
    this.#fault = 'content-timeout';
  }

  /** Something has come that counts: from now on only idleness does. */
  progress(): void {
    this.#progressAtMs = this.#clock.now();
    if (this.#fault === 'idle-timeout') return;
    this.#fault = 'idle-timeout';
    this.#allowedMs = this.#idleMs;
  }

  /** What follows is short, and worth no more than this long. */
  last(allowedMs: number): void {
    this.progress();
    if (allowedMs >= this.#allowedMs) return;
    this.#allowedMs = allowedMs;
    this.#arm();
  }

  /** What is waited for is not the upstream's doing: until `resume` only the whole request's deadline counts. */
  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
    this.progress();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #due(): number {
    // While suspended, look again after each idle time rather than sleep: the resume does not set the timer anew.
    const from = this.#suspended ? this.#clock.now() : this.#progressAtMs;
    return Math.min(from + this.#allowedMs, this.#deadlineAtMs);
  }

  #arm(): void {
    this.#timer?.cancel();
    // Never longer than the idle time, which may come to count meanwhile: so progress need not set the timer anew.
    const delayMs = Math.min(this.#due() - this.#clock.now(), this.#idleMs);
    this.#timer = this.#clock.setTimer(Math.max(0, delayMs), () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    if (now < this.#due()) {
      this.#arm();
      return;
    }
    this.#timer = undefined;
    this.#expired(now >= this.#deadlineAtMs ? 'deadline' : this.#fault);
  }
}
