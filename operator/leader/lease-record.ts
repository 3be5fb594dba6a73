// The Lease of one election, as one process sees it: what stands in it, since when, and who may take it. Decides nothing
// about leadership: that depends on when requests were sent.

import type { Clock } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/kube-error.ts';
import { collectionPath, objectPath } from '../kube/object.ts';
import { claimedLease, holderOf, type Lease, type LeaseClaim, leaseType, releasedLease } from './lease.ts';

/** What a record is made of. */
export interface LeaseRecordOptions {
  readonly client: KubeClient;
  readonly claim: LeaseClaim;
  readonly clock: Clock;
  /** Heard when the record names another holder than before; '' for none. */
  readonly onHolder: (holder: string) => void;
}

/** A Lease that is read and written. What fails rejects with a KubeError and leaves what is known as it is. */
export class LeaseRecord {
  readonly #options: LeaseRecordOptions;
  /** As it was seen last, with its version. */
  #lease: Lease | undefined;
  /** When it was first seen as it is. The times that others write into it are not looked at: their clocks are theirs. */
  #changedMs = 0;

  constructor(options: LeaseRecordOptions) {
    this.#options = options;
  }

  /** Who holds it, as far as is known; '' if nobody does. */
  get holder(): string {
    return holderOf(this.#lease);
  }

  /** Whether there is a version of it to write over. */
  get isKnown(): boolean {
    return this.#lease !== undefined;
  }

  /** Whether it has not changed for so long that its holder must have stopped. */
  get isExpired(): boolean {
    const seconds = this.#lease?.spec?.leaseDurationSeconds;
    // The holder's own promise counts.
    const durationMs = seconds === undefined ? this.#options.claim.durationMs : seconds * 1000;
    return this.#options.clock.monotonic() - this.#changedMs >= durationMs;
  }

  /** Looks at it anew. */
  async read(timeoutMs: number): Promise<void> {
    try {
      this.#observe(await this.#options.client.call<Lease>({ method: 'GET', path: this.#path, timeoutMs }));
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
      this.#observe(undefined);
    }
  }

  /** Takes or renews it; fails if it is not what was seen last. Resolves with the time when that was sent. */
  async claim(timeoutMs: number): Promise<number> {
    const { claim, clock } = this.#options;
    const sentMs = clock.monotonic();
    await this.#write(claimedLease(this.#lease, claim, clock.now()), timeoutMs);
    return sentMs;
  }

  /** Gives it to whoever comes; fails if it is not what was seen last. */
  async release(timeoutMs: number): Promise<void> {
    if (this.#lease === undefined) return;
    await this.#write(releasedLease(this.#lease, this.#options.clock.now()), timeoutMs);
  }

  /** Replaces the version that is known, or makes the Lease where there is none. */
  async #write(body: Lease, timeoutMs: number): Promise<void> {
    const { client, claim } = this.#options;
    const target = this.isKnown
      ? ({ method: 'PUT', path: this.#path } as const)
      : ({ method: 'POST', path: collectionPath(leaseType, claim.namespace) } as const);
    this.#observe(await client.call<Lease>({ ...target, body, timeoutMs, isAnybodys: true }));
  }

  #observe(lease: Lease | undefined): void {
    const before = this.#lease;
    this.#lease = lease;
    // Labels and the like are no sign of life.
    if (JSON.stringify(lease?.spec) === JSON.stringify(before?.spec)) return;
    this.#changedMs = this.#options.clock.monotonic();
    if (holderOf(lease) !== holderOf(before)) this.#options.onHolder(holderOf(lease));
  }

  get #path(): string {
    return objectPath(leaseType, this.#options.claim);
  }
}
