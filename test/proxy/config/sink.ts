// A gateway as sources see it, which takes every configuration that is not older than its own, and notes what it was told.

import type { ConfigSink, SourceLog } from '../../../proxy/config/config-intake.ts';
import type { Refusal } from '../../../proxy/config/store.ts';
import type { ConfigPair } from '../../support/config.ts';

/** What came to the gateway. */
export class NotingSink implements ConfigSink {
  readonly offered: ConfigPair[] = [];
  readonly refused: (readonly [string, number | undefined])[] = [];
  /** Why it refuses what it is offered; undefined = it does not. */
  reasons: readonly string[] | undefined;
  #revision: number | undefined;

  revision(): number | undefined {
    return this.#revision;
  }

  offer(config: unknown, credentials: unknown): Refusal | undefined {
    const pair = { config, credentials } as ConfigPair;
    this.offered.push(pair);
    const { revision, digest } = pair.config;
    if (this.reasons !== undefined) return { revision, digest, reasons: this.reasons, atMs: 0 };
    this.#revision = revision;
    return undefined;
  }

  refuse(reasons: readonly string[], { revision }: Pick<Refusal, 'revision' | 'digest'>): void {
    this.refused.push([reasons.join('; '), revision]);
  }

  get revisions(): readonly number[] {
    return this.offered.map(({ config }) => config.revision);
  }
}

/** A log that keeps its lines: message, and what is said besides. */
export function keepLog(lines: string[]): SourceLog {
  const keep = ({ revision, reason }: Readonly<Record<string, unknown>>, message: string): void =>
    void lines.push(
      [message, revision, reason].filter((word) => typeof word === 'string' || typeof word === 'number').join(' | '),
    );
  return { info: keep, warn: keep };
}
