// What is said about a watch: changes of state, never attempts. A watch that is cut and is there again is no news.

import type { ObjectRef } from '../config/watched-source.ts';
import type { ApiFailure } from './api-failure.ts';

/** What watches log with. */
export interface WatchLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** The state of one watch, in words. */
export class Contact {
  readonly #log: WatchLog;
  readonly #object: string;
  #state = 'unknown';

  constructor(log: WatchLog, { kind, namespace, name }: ObjectRef) {
    this.#log = log;
    this.#object = `${kind} ${namespace}/${name}`;
  }

  established(): void {
    if (this.#state !== 'established') this.#log.info({ object: this.#object }, 'watching');
    this.#state = 'established';
  }

  lost(failure: ApiFailure | undefined): void {
    const state = failure?.kind ?? 'ended';
    if (this.#state === state) return;
    this.#state = state;
    const reason = failure?.message ?? 'the watch ended as soon as it had begun';
    this.#log.warn({ object: this.#object, reason }, 'cannot watch; the last good configuration goes on');
  }

  deleted(): void {
    this.#log.warn({ object: this.#object }, 'deleted; the last good configuration goes on');
  }
}
