// Sends Events one after the other, so that a series never overtakes the Event that it belongs to. Tries again what may
// still work, gives up on what the API server refuses.

import { type Clock, waitOrAbort } from '../clock.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { Log } from '../log.ts';

/** Events that wait: a minute of an API server that is gone, on a bad day. */
const queueMax = 1000;
/** About a minute and a half altogether; afterwards it is old news. */
const triesMax = 12;
const firstRetryMs = 500;
const retryMsMax = 10_000;
/** A server may ask for more than that, but not hold up everything for long. */
const askedMsMax = 60_000;

/** Why an Event was not written. */
export type DropCause = 'spam' | 'queue-full' | 'refused' | 'gave-up' | 'stopped';

/** What sending needs. */
export interface EventSenderOptions {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
}

/** One write: `send` may be called several times, `drop` at most once, when it is given up. */
export interface Delivery {
  readonly send: () => Promise<void>;
  readonly drop: (cause: DropCause) => void;
}

/** Writes that wait for their turn. */
export class EventSender {
  readonly #options: EventSenderOptions;
  readonly #queue: Delivery[] = [];
  readonly #stop = new AbortController();
  /** Reasons of refusals that have been logged: each says the same of every Event. */
  readonly #complaints = new Set<string>();
  #sending: Promise<void> | undefined;

  constructor(options: EventSenderOptions) {
    this.#options = options;
  }

  /** Never waits. */
  push(delivery: Delivery): void {
    if (this.#stop.signal.aborted) return delivery.drop('stopped');
    if (this.#queue.length >= queueMax) return delivery.drop('queue-full');
    this.#queue.push(delivery);
    this.#sending ??= this.#sendAll();
  }

  /** Resolves when nothing waits any more. Never rejects. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  /** Drops what waits, now and from now on. */
  stop(): void {
    this.#stop.abort();
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const cause = await this.#deliver(next);
      if (cause !== undefined) next.drop(cause);
    }
    this.#sending = undefined;
  }

  /** Why it could not be delivered; undefined if it was. */
  async #deliver({ send }: Delivery): Promise<DropCause | undefined> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#stop;
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        await send();
        return undefined;
      } catch (error) {
        if (!mayWorkLater(error)) return this.#refused(error);
        if (tries === triesMax) {
          log.warn({ error }, 'an event could not be written');
          return 'gave-up';
        }
        const backoffMs = Math.min(firstRetryMs * 2 ** (tries - 1), retryMsMax) * (1 + random() / 4);
        const askedMs = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
        await waitOrAbort(clock, Math.max(backoffMs, Math.min(askedMs, askedMsMax)), signal);
      }
    }
    return 'stopped';
  }

  #refused(error: unknown): DropCause {
    const reason = error instanceof KubeError ? `${error.status} ${error.reason}` : String(error);
    if (this.#complaints.has(reason)) return 'refused';
    this.#complaints.add(reason);
    // A namespace that is being deleted refuses too, so this need not be a missing permission.
    this.#options.log.warn({ error }, 'an event was refused; others for the same reason are not logged');
    return 'refused';
  }
}

/** No answer, a server in trouble, or one that is too busy. Conflicts are between patches, and over at once. */
function mayWorkLater(error: unknown): boolean {
  if (!(error instanceof KubeError)) return false;
  return error.status === 0 || error.status === 409 || error.status === 429 || error.status >= 500;
}
