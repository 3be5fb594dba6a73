// Elects one leader among the replicas with a Lease: client-go's rules. Why there are never two: the holder stops
// believing in itself `renewDeadlineMs` after it *sent* its last renewal, the others take the Lease `leaseDurationMs` after
// they *saw* that renewal, both by their own monotonic clocks, and the API server refuses writes to a version that is old.

import { type Clock, waitOrAbort } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { Log } from '../log.ts';
import { LeaseRecord } from './lease-record.ts';

/** The times of an election. */
export interface ElectorSettings {
  /** Others leave a Lease alone for so long after they saw it change. A whole number of seconds. */
  readonly leaseDurationMs: number;
  /** The leader stops when it could not renew for so long. The difference is what clocks may go wrong, and work may overrun. */
  readonly renewDeadlineMs: number;
  /** Between two tries. */
  readonly retryPeriodMs: number;
}

/** The times of every component of Kubernetes: a leader that dies is replaced in about 17 s, an API server may be gone for 9 s. */
export const electorSettings: ElectorSettings = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};

/** Candidates wait up to so much longer, as a share of what they wait, lest they all ask at once. */
const jitterFactor = 1.2;
/** Between two looks at somebody else's Lease: one that is given away is taken within a second, for one small read of it. */
const lookMs = 400;
/** Near its deadline a leader tries faster, down to this: an API server that is back just in time is enough. */
const hurryMs = 500;
/** A request must leave time for another before the deadline, but less than a second is little for a busy API server. */
const requestMsMin = 1_000;
/** A Lease that cannot be given away expires by itself; a process that takes too long to stop is killed. */
const releaseMsMax = 5_000;
const releaseTriesMax = 5;
const releaseRetryMs = 200;

/** What an elector is made of. */
export interface ElectorOptions {
  readonly client: KubeClient;
  /** Of the Lease. */
  readonly namespace: string;
  readonly name: string;
  /** Different for each process that ever was: host name and a UUID. */
  readonly identity: string;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly settings?: ElectorSettings;
  /** The leader's quick renewal failed, so that it has to look at the Lease again. */
  readonly onSlowPath?: () => void;
}

/** How it ended: `released` when it was asked to end, `lost` when the process must stop at once. */
export type ElectionEnd = 'released' | 'lost';

/** Takes part in an election. */
export interface Elector {
  /**
   * Waits for leadership, calls `onStartedLeading`, and renews until the signal is aborted; then gives the Lease away.
   * Stop all work before you abort it. Call it once. Rejects only with what `onStartedLeading` throws.
   */
  run(options: { readonly onStartedLeading: () => void; readonly signal: AbortSignal }): Promise<ElectionEnd>;
  /** To be asked before every write. By the clock, not by what timers have done: a process that was stopped knows at once. */
  isLeader(): boolean;
  /** Since the last renewal was sent; undefined unless this process holds the Lease, or thinks so. */
  renewedAgoMs(): number | undefined;
  /** Who holds the Lease, as far as is known; '' if nobody does. */
  holder(): string;
}

/** An elector that does not take part yet. Throws if its times do not fit together. */
export function createElector(options: ElectorOptions): Elector {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = options.settings ?? electorSettings;
  if (leaseDurationMs <= renewDeadlineMs || renewDeadlineMs <= retryPeriodMs * jitterFactor) {
    throw new Error(`times of an election must shrink: ${leaseDurationMs}, ${renewDeadlineMs}, ${retryPeriodMs} ms`);
  }
  return new LeaseElector(options);
}

/** What came of one try to take or renew the Lease. */
type Attempt =
  | { readonly type: 'written'; readonly sentMs: number }
  | { readonly type: 'foreign' }
  | { readonly type: 'failed'; readonly error: unknown };

class LeaseElector implements Elector {
  readonly #options: ElectorOptions;
  readonly #settings: ElectorSettings;
  readonly #record: LeaseRecord;
  /** When the last renewal that succeeded was sent; undefined: does not lead. */
  #renewedMs: number | undefined;
  #complaint: string | undefined;

  constructor(options: ElectorOptions) {
    const { client, namespace, name, identity, clock, log, settings = electorSettings } = options;
    this.#options = options;
    this.#settings = settings;
    const claim = { namespace, name, identity, durationMs: settings.leaseDurationMs };
    const onHolder = (holder: string): void => log.info({ ...this.#fields, holder }, 'the holder of the lease changed');
    this.#record = new LeaseRecord({ client, claim, clock, onHolder });
  }

  isLeader(): boolean {
    return this.#remainingMs() > 0;
  }

  renewedAgoMs(): number | undefined {
    return this.#renewedMs === undefined ? undefined : this.#options.clock.monotonic() - this.#renewedMs;
  }

  holder(): string {
    return this.#record.holder;
  }

  async run({ onStartedLeading, signal }: Parameters<Elector['run']>[0]): Promise<ElectionEnd> {
    const { log } = this.#options;
    log.info(this.#fields, 'waiting to become the leader');
    await this.#acquire(signal);
    if (!signal.aborted) {
      log.info(this.#fields, 'became the leader');
      onStartedLeading();
      await this.#keepRenewing(signal);
    }
    if (!signal.aborted) {
      // Not given away: work may still be under way. It expires.
      this.#renewedMs = undefined;
      log.error({ ...this.#fields, holder: this.holder() }, 'leadership lost');
      return 'lost';
    }
    await this.#release();
    return 'released';
  }

  /** Returns when this process leads, or the signal is aborted. */
  async #acquire(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      const attempt = await this.#attempt();
      this.#report(attempt);
      if (attempt.type === 'written') this.#renewedMs = attempt.sentMs;
      if (this.isLeader()) return;
      // Not written, or the process was stopped in the meantime and has to try again.
      this.#renewedMs = undefined;
      const pauseMs = attempt.type === 'foreign' ? lookMs : this.#settings.retryPeriodMs;
      await waitOrAbort(clock, pauseMs * (1 + jitterFactor * random()), signal);
    }
  }

  /** Returns when the signal is aborted, the deadline has passed, or somebody else leads. */
  async #keepRenewing(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await waitOrAbort(clock, this.#renewalPauseMs(), signal);
      if (signal.aborted || !this.isLeader()) return;
      // The deadline is kept whatever becomes of the requests.
      const attempt = await within(clock, this.#remainingMs(), this.#attempt());
      if (attempt === undefined || attempt.type === 'foreign') return;
      this.#report(attempt);
      if (attempt.type === 'written') this.#renewedMs = attempt.sentMs;
    }
  }

  /** One try. Never rejects; what it means for leadership is for the caller to say. */
  async #attempt(): Promise<Attempt> {
    const leads = this.#renewedMs !== undefined;
    try {
      if (leads && this.#record.isKnown) {
        const sentMs = await this.#renewQuickly();
        if (sentMs !== undefined) return { type: 'written', sentMs };
      }
      await this.#record.read(this.#timeoutMs);
      if (leads && !this.isLeader()) return { type: 'failed', error: new Error('the deadline has passed') };
      if (this.#isForeign()) return { type: 'foreign' };
      return { type: 'written', sentMs: await this.#record.claim(this.#timeoutMs) };
    } catch (error) {
      return { type: 'failed', error };
    }
  }

  /** Writes over the version that is known. That fails if anything was missed, also the answer to the last renewal. */
  async #renewQuickly(): Promise<number | undefined> {
    try {
      return await this.#record.claim(this.#timeoutMs);
    } catch (error) {
      this.#options.onSlowPath?.();
      this.#options.log.debug({ ...this.#fields, error }, 'cannot renew the lease unseen; looking at it');
      return undefined;
    }
  }

  /** Whether the Lease is somebody's who may still be alive, or, to the leader, whether it is not its own any more. */
  #isForeign(): boolean {
    const { holder, isKnown, isExpired } = this.#record;
    if (!isKnown || holder === this.#options.identity) return false;
    return this.#renewedMs !== undefined || (holder !== '' && !isExpired);
  }

  async #release(): Promise<void> {
    const { clock, log } = this.#options;
    if (this.#renewedMs === undefined) return;
    // First, so that nothing is written under a Lease that is being given away.
    this.#renewedMs = undefined;
    const isReleased = await within(clock, releaseMsMax, this.#tryToRelease());
    if (isReleased === true) log.info(this.#fields, 'gave the lease away');
    else log.warn(this.#fields, 'could not give the lease away; it expires');
  }

  async #tryToRelease(): Promise<boolean> {
    const { clock, log, identity } = this.#options;
    for (let tries = 1; tries <= releaseTriesMax; tries += 1) {
      try {
        // The last renewal may have been written although its answer was lost.
        if (tries > 1) await this.#record.read(this.#requestMs);
        if (this.holder() === identity) await this.#record.release(this.#requestMs);
        return true;
      } catch (error) {
        log.debug({ ...this.#fields, error }, 'cannot give the lease away yet');
        await new Promise<void>((resolve) => clock.setTimer(releaseRetryMs, resolve));
      }
    }
    return false;
  }

  /** Once per kind of failure, not once per try. */
  #report(attempt: Attempt): void {
    // Another candidate that was faster is no failure of anything.
    if (attempt.type !== 'failed' || (attempt.error instanceof KubeError && attempt.error.status === 409)) {
      this.#complaint = undefined;
      return;
    }
    const message = attempt.error instanceof Error ? attempt.error.message : String(attempt.error);
    if (this.#complaint === message) return;
    this.#complaint = message;
    this.#options.log.warn({ ...this.#fields, error: attempt.error }, 'cannot take or renew the lease; trying again');
  }

  /** Until this process does not lead any more. */
  #remainingMs(): number {
    const agoMs = this.renewedAgoMs();
    return agoMs === undefined ? 0 : Math.max(0, this.#settings.renewDeadlineMs - agoMs);
  }

  #renewalPauseMs(): number {
    const remainingMs = this.#remainingMs();
    const inTimeMs = remainingMs <= hurryMs ? remainingMs : Math.max(remainingMs / 2, hurryMs);
    return Math.min(inTimeMs, this.#settings.retryPeriodMs);
  }

  get #requestMs(): number {
    return Math.max(requestMsMin, Math.ceil(this.#settings.renewDeadlineMs / 2));
  }

  /** A leader's request that ends after the deadline is of no use. Timeouts of Node are whole numbers. */
  get #timeoutMs(): number {
    return this.isLeader() ? Math.min(this.#requestMs, Math.ceil(this.#remainingMs())) : this.#requestMs;
  }

  get #fields(): { readonly lease: string; readonly identity: string } {
    const { namespace, name, identity } = this.#options;
    return { lease: `${namespace}/${name}`, identity };
  }
}

/** What a promise resolves with, or undefined if that takes too long. */
function within<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(limitMs, () => resolve(undefined));
    const settle = promise.finally(() => timer.cancel());
    settle.then(resolve, reject);
  });
}
