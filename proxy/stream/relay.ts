// Passes a committed answer on to the client: backpressure both ways, keep-alives between frames, and where the answer
// breaks another one that goes on with it, or an explicit error. Nothing is retried here.

import { BytePieces } from '../canonical/byte-pieces.ts';
import type { Clock, Timer } from '../canonical/clock.ts';
import type { FailureSignal } from '../canonical/failure.ts';
import type { Answer, AnswerSink } from './answer.ts';

/** The client's side of a streamed answer. */
export interface RelayTarget {
  write(chunk: Uint8Array): boolean;
  onDrain(ready: () => void): void;
  end(last?: Uint8Array): void;
  destroy(): void;
}

/** How the relaying ended. */
export type RelayEnd =
  | { readonly type: 'complete' }
  /** The upstream broke, or the whole request's time was over: the client has been told. */
  | { readonly type: 'broken'; readonly cause: FailureSignal | 'deadline' }
  /** The exchange was aborted from the client's side or by a drain. */
  | { readonly type: 'aborted'; readonly reason: unknown };

/** What relaying needs. */
export interface RelaySettings {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Sent between frames when nothing else is, so that nothing on the way closes the connection. */
  readonly keepAlive: Buffer | undefined;
  /**
   * Another answer that goes on where this one broke; undefined if there is none. Never rejects. Left out: nothing goes on.
   */
  readonly successor?: ((cause: FailureSignal) => Promise<Answer | undefined>) | undefined;
  /** The in-band error for a broken answer; undefined: the protocol has none, so the connection is cut. */
  readonly inBandError: (cause: FailureSignal | 'deadline' | 'draining') => Buffer | undefined;
}

/** Below the 30 s after which the strictest load balancers close silent connections (failure.md, HTTP server). */
export const keepAliveMs = 15_000;
/**
 * More is written at once, and not when all that was read has been judged: a client that takes nothing is then felt by the
 * upstream before the next bytes are read.
 */
const togetherBytesMax = 16 * 1024;

/** Relays an answer to its end; never rejects. */
export function relay(answer: Answer, target: RelayTarget, settings: RelaySettings): Promise<RelayEnd> {
  return new Promise((resolve) => new Relay(answer, target, settings, resolve).start());
}

class Relay implements AnswerSink {
  #answer: Answer;
  readonly #target: RelayTarget;
  readonly #settings: RelaySettings;
  readonly #resolve: (end: RelayEnd) => void;
  #timer: Timer | undefined;
  #wroteAtMs = 0;
  readonly #pending = new BytePieces();
  #waiting = false;
  #over = false;

  constructor(answer: Answer, target: RelayTarget, settings: RelaySettings, resolve: (end: RelayEnd) => void) {
    this.#answer = answer;
    this.#target = target;
    this.#settings = settings;
    this.#resolve = resolve;
  }

  start(): void {
    const { signal, clock, keepAlive } = this.#settings;
    if (signal.aborted) {
      this.#aborted();
      return;
    }
    signal.addEventListener('abort', this.#aborted, { once: true });
    this.#wroteAtMs = clock.now();
    if (keepAlive !== undefined && this.#answer.framed) this.#armKeepAlive(keepAlive, keepAliveMs);
    this.#answer.attach(this);
  }

  /** What one read of the upstream holds leaves in one write: frames that came together go on together. */
  chunk(bytes: Buffer): void {
    if (this.#over) return;
    if (this.#pending.bytes === 0) queueMicrotask(this.#flush);
    this.#pending.push(bytes);
    if (this.#pending.bytes >= togetherBytesMax) this.#flush();
  }

  end(): void {
    if (this.#over) return;
    this.#target.end(this.#take());
    this.#finish({ type: 'complete' });
  }

  failed(cause: FailureSignal | 'deadline'): void {
    if (this.#over) return;
    const { successor } = this.#settings;
    if (cause === 'deadline' || successor === undefined) this.#broken(cause);
    else void this.#succeed(successor(cause), cause);
  }

  /** Until it is known who goes on the client is kept waiting, with keep-alives. */
  async #succeed(next: Promise<Answer | undefined>, cause: FailureSignal): Promise<void> {
    const answer = await next;
    if (this.#over) {
      answer?.abort();
      return;
    }
    if (answer === undefined) {
      this.#broken(cause);
      return;
    }
    this.#answer = answer;
    if (this.#waiting) answer.pause();
    answer.attach(this);
  }

  #broken(cause: FailureSignal | 'deadline'): void {
    this.#sayError(cause);
    this.#finish({ type: 'broken', cause });
  }

  readonly #flush = (): void => {
    const bytes = this.#take();
    if (this.#over || bytes === undefined) return;
    this.#wroteAtMs = this.#settings.clock.now();
    if (this.#target.write(bytes) || this.#waiting) return;
    this.#waiting = true;
    this.#answer.pause();
    this.#target.onDrain(this.#drained);
  };

  #take(): Buffer | undefined {
    return this.#pending.bytes === 0 ? undefined : this.#pending.take();
  }

  readonly #drained = (): void => {
    this.#waiting = false;
    if (!this.#over) this.#answer.resume();
  };

  readonly #aborted = (): void => {
    if (this.#over) return;
    const reason: unknown = this.#settings.signal.reason;
    this.#answer.abort();
    if (reason === 'drain-deadline') this.#sayError('draining');
    this.#finish({ type: 'aborted', reason });
  };

  #sayError(cause: FailureSignal | 'deadline' | 'draining'): void {
    const last = this.#take();
    const error = this.#settings.inBandError(cause);
    if (error !== undefined) {
      this.#target.end(last === undefined ? error : Buffer.concat([last, error]));
      return;
    }
    if (last !== undefined) this.#target.write(last);
    this.#target.destroy();
  }

  #armKeepAlive(keepAlive: Buffer, delayMs: number): void {
    this.#timer = this.#settings.clock.setTimer(delayMs, () => {
      const silentMs = this.#settings.clock.now() - this.#wroteAtMs;
      if (silentMs >= keepAliveMs && !this.#waiting) this.chunk(keepAlive);
      this.#armKeepAlive(keepAlive, silentMs >= keepAliveMs ? keepAliveMs : keepAliveMs - silentMs);
    });
  }

  #finish(end: RelayEnd): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#settings.signal.removeEventListener('abort', this.#aborted);
    this.#resolve(end);
  }
}
