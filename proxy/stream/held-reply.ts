// Opens a stream to the client when no backend has come up with content for a while: a head and keep-alives go out,
// failover goes on behind them, and whatever comes of it continues in the same stream (failure.md, rule 11).

import type { Clock, Timer } from '../canonical/clock.ts';
import { keepAliveMs, type RelayTarget } from './relay.ts';

/** Waits for `holdMs`, then opens the stream. */
export class HeldReply<T extends RelayTarget> {
  readonly #clock: Clock;
  readonly #keepAlive: Buffer;
  readonly #open: () => T;
  #timer: Timer | undefined;
  #stream: T | undefined;

  constructor(clock: Clock, holdMs: number, keepAlive: Buffer, open: () => T) {
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#open = open;
    this.#timer = clock.setTimer(holdMs, () => this.#begin());
  }

  /** Stops waiting and hands over the stream, if it was opened. */
  release(): T | undefined {
    this.#timer?.cancel();
    this.#timer = undefined;
    return this.#stream;
  }

  #begin(): void {
    this.#stream = this.#open();
    this.#beat();
  }

  #beat(): void {
    this.#stream?.write(this.#keepAlive);
    this.#timer = this.#clock.setTimer(keepAliveMs, () => this.#beat());
  }
}
