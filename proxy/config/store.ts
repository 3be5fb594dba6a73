// Holds the snapshot in force. A new configuration replaces it as a whole or not at all; the last good one goes on.

import { z } from 'zod';
import type { Clock } from '../canonical/clock.ts';
import { ConfigRefused, parseConfig, parseCredentials } from './parse-config.ts';
import type { Credentials, GatewayConfig } from './schema.ts';
import { compileSnapshot, type InForce } from './snapshot-compile.ts';
import type { Snapshot } from './snapshot.ts';

/** A configuration that was offered and not taken. */
export interface Refusal {
  /** Undefined where not even that could be read. */
  readonly revision: number | undefined;
  readonly digest: string | undefined;
  readonly reasons: readonly string[];
  readonly atMs: number;
}

/** Reasons that are kept of one refusal: enough to mend it, and bounded. */
const reasonsMax = 20;

/** Compiles a pair. Throws ConfigRefused. */
export type CompileSnapshot = (config: GatewayConfig, credentials: Credentials, inForce?: InForce) => Snapshot;

/** The configuration of one proxy. */
export class SnapshotStore {
  readonly #clock: Clock;
  readonly #compile: CompileSnapshot;
  readonly #listeners: ((next: Snapshot, previous: Snapshot | undefined) => void)[] = [];
  #inForce: InForce | undefined;
  #servedSinceMs = 0;
  #lastRefusal: Refusal | undefined;

  /** `compile` may know what outlives every snapshot. */
  constructor(clock: Clock, compile: CompileSnapshot = compileSnapshot) {
    this.#clock = clock;
    this.#compile = compile;
  }

  /** The snapshot in force; undefined before the first. */
  get current(): Snapshot | undefined {
    return this.#inForce?.snapshot;
  }

  /** Unix milliseconds since which the current snapshot is in force; 0 before the first. */
  get servedSinceMs(): number {
    return this.#servedSinceMs;
  }

  /** The last configuration that was refused; forgotten once another is taken. */
  get lastRefusal(): Refusal | undefined {
    return this.#lastRefusal;
  }

  /** Calls the listener after each change. */
  onChange(listener: (next: Snapshot, previous: Snapshot | undefined) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Offers a configuration with the credentials that it names, neither of them trusted. Returns the refusal, or
   * undefined if it is in force now (or already was). Revisions only go forward.
   */
  offer(config: unknown, credentials: unknown): Refusal | undefined {
    const { revision, digest } = peekIdentity(config);
    const inForce = this.#inForce;
    if (inForce !== undefined && revision !== undefined && revision <= inForce.snapshot.revision) return undefined;
    try {
      const parsed = parseConfig(config, inForce?.snapshot.config);
      const secrets = parseCredentials(credentials, inForce?.credentials);
      this.#swap({ snapshot: this.#compile(parsed, secrets, inForce), credentials: secrets });
      return undefined;
    } catch (error) {
      if (!(error instanceof ConfigRefused)) throw error;
      return this.refuse({ revision, digest, reasons: error.reasons });
    }
  }

  /** Records that a configuration could not even be offered. */
  refuse({ revision, digest, reasons }: Omit<Refusal, 'atMs'>): Refusal {
    this.#lastRefusal = { revision, digest, reasons: reasons.slice(0, reasonsMax), atMs: this.#clock.now() };
    return this.#lastRefusal;
  }

  #swap(next: InForce): void {
    const previous = this.current;
    this.#inForce = next;
    this.#servedSinceMs = this.#clock.now();
    this.#lastRefusal = undefined;
    for (const listener of this.#listeners) listener(next.snapshot, previous);
  }
}

const identitySchema = z.looseObject({ revision: z.number().optional(), digest: z.string().optional() });

function peekIdentity(config: unknown): { revision: number | undefined; digest: string | undefined } {
  const result = identitySchema.safeParse(config);
  return { revision: result.data?.revision, digest: result.data?.digest };
}
