// The way of published configurations into a gateway, whatever source brings them: what two sources find is offered once,
// and what is older than what is in force is left alone.

import type { ConfigIndex } from './schema.ts';
import type { Refusal } from './store.ts';

/** Who takes configurations, or refuses them. */
export interface ConfigSink {
  /** The revision in force; undefined before the first. */
  readonly revision: () => number | undefined;
  /** The refusal, or undefined if it is in force. */
  readonly offer: (config: unknown, credentials: unknown) => Refusal | undefined;
  /** Records that a configuration could not even be offered, and which one, where that is known. */
  readonly refuse: (reasons: readonly string[], identity: Pick<Refusal, 'revision' | 'digest'>) => void;
}

/** What sources log with. */
export interface SourceLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Takes configurations of all sources. */
export class ConfigIntake {
  readonly #sink: ConfigSink;
  readonly #log: SourceLog;
  /** Revision and digest that were offered last. */
  #offered: string | undefined;

  constructor(sink: ConfigSink, log: SourceLog) {
    this.#sink = sink;
    this.#log = log;
  }

  /** Whether nothing is to be gained from what this index names. */
  knows(index: ConfigIndex): boolean {
    const inForce = this.#sink.revision();
    return (inForce !== undefined && index.revision <= inForce) || identityOf(index) === this.#offered;
  }

  /** Offers a whole configuration. Why it was refused, or undefined if it is in force. */
  offer(index: ConfigIndex, config: unknown, credentials: unknown): string | undefined {
    // Another source may have brought it while this one was reading.
    if (this.knows(index)) return undefined;
    this.#offered = identityOf(index);
    const refusal = this.#sink.offer(config, credentials);
    if (refusal === undefined) {
      this.#log.info({ revision: index.revision }, 'configuration in force');
      return undefined;
    }
    this.#log.warn({ revision: refusal.revision, reasons: refusal.reasons }, 'configuration refused');
    return refusal.reasons.join('; ');
  }

  /** Says that something published cannot be taken. What could not be found at all has not been refused. */
  complain({ index, reason, found }: Complaint): void {
    this.#log.warn({ revision: index?.revision, reason }, 'configuration not taken');
    if (found) this.#sink.refuse([reason], { revision: index?.revision, digest: index?.digest });
  }
}

/** Why something published cannot be taken. */
export interface Complaint {
  readonly index: ConfigIndex | undefined;
  readonly reason: string;
  /** Whether there is anything. */
  readonly found: boolean;
}

function identityOf({ revision, digest }: ConfigIndex): string {
  return `${revision} ${digest}`;
}
