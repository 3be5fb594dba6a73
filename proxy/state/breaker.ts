// Says whether it is worth while to talk to a server that has been failing, so that nobody waits for one that is gone.
// Knows time and outcomes; must not know what is being called.

import type { Clock } from '../canonical/clock.ts';

/** What went wrong with one command: refused or failed, or not answered in time. */
export type CommandFault = 'error' | 'timeout';

/** A circuit breaker: closed = commands may go out. It never closes by itself: somebody must have tried. */
export interface Breaker {
  readonly isOpen: boolean;
  /** Unix milliseconds of the last opening or closing. */
  readonly sinceMs: number;
  /** Why it is open. */
  readonly detail: string | undefined;
  /** Counts a failed command; opens when too many failed within the window. */
  failed(fault: CommandFault, detail: string): void;
  /** Opens at once: the connection is gone, or the server refuses. */
  trip(detail: string): void;
  /** Closes: the server was tried and works. */
  close(): void;
}

/** What a breaker is made of. */
export interface BreakerOptions {
  readonly clock: Clock;
  /** Why it is open at first. */
  readonly detail: string;
  /** Heard at every opening and closing, not when an open breaker learns of a further reason. */
  readonly onChange: (breaker: Breaker) => void;
}

/** Faults further apart are not one outage. */
const windowMs = 1000;
/** So many faults in the window open it. Timeouts cost those who wait 50 ms each, errors next to nothing. */
const faultsMax: Record<CommandFault, number> = { error: 5, timeout: 3 };

/** An open breaker: nothing is known to work yet. */
export function createBreaker(options: BreakerOptions): Breaker {
  return new WindowBreaker(options);
}

class WindowBreaker implements Breaker {
  readonly #clock: Clock;
  readonly #onChange: (breaker: Breaker) => void;
  /** Times of the latest faults, oldest first; never more than `faultsMax` of them. */
  readonly #faults: Record<CommandFault, number[]> = { error: [], timeout: [] };
  #sinceMs: number;
  #detail: string | undefined;

  constructor({ clock, detail, onChange }: BreakerOptions) {
    this.#clock = clock;
    this.#onChange = onChange;
    this.#sinceMs = clock.now();
    this.#detail = detail;
  }

  get isOpen(): boolean {
    return this.#detail !== undefined;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }

  get detail(): string | undefined {
    return this.#detail;
  }

  failed(fault: CommandFault, detail: string): void {
    if (this.isOpen) return;
    const nowMs = this.#clock.now();
    const faults = this.#faults[fault].filter((atMs) => nowMs - atMs < windowMs);
    faults.push(nowMs);
    this.#faults[fault] = faults;
    if (faults.length >= faultsMax[fault]) this.trip(detail);
  }

  trip(detail: string): void {
    this.#change(detail);
  }

  close(): void {
    this.#change(undefined);
  }

  #change(detail: string | undefined): void {
    const wasOpen = this.isOpen;
    this.#detail = detail;
    if (wasOpen === this.isOpen) return;
    this.#faults.error = [];
    this.#faults.timeout = [];
    this.#sinceMs = this.#clock.now();
    this.#onChange(this);
  }
}
