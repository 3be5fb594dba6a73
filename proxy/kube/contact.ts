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
  #established = false;
  /** Kinds of failures since it was established last: two that take turns are not news each time. */
  readonly #said = new Set<string>();

  constructor(log: WatchLog, { kind, namespace, name }: ObjectRef) {
    this.#log = log;
    this.#object = `${kind} ${namespace}/${name}`;
  }

  established(): void {
    if (!this.#established) this.#log.info({ object: this.#object }, 'watching');
    this.#established = true;
    this.#said.clear();
  }

  lost(failure: ApiFailure | undefined): void {
    this.#established = false;
    const kind = failure?.kind ?? 'ended';
    if (this.#said.has(kind)) return;
    this.#said.add(kind);
    const reason = failure?.message ?? 'the watch ended as soon as it had begun';
    this.#log.warn({ object: this.#object, reason }, 'cannot watch; the last good configuration goes on');
  }

  deleted(): void {
    this.#log.warn({ object: this.#object }, 'deleted; the last good configuration goes on');
  }
}
