// Workers that take keys from a queue and reconcile them, and what becomes of a key afterwards: controller-runtime's rules.

import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { Log, LogFields } from '../log.ts';
import { retryMsMax } from './rate-limiter.ts';
import { TerminalError } from './terminal-error.ts';
import type { QueueItem, WorkQueue } from './work-queue.ts';

/** How long `stop` leaves runs alone: a run takes seconds, and Kubernetes gives the whole process 30 s. */
const graceMsDefault = 10_000;
/** Errors are wrapped a few times at most; a circle of causes must not hold the worker. */
const causesMax = 10;

/**
 * Brings the world in line with what `key` stands for. Throws to be tried again; `requeueAfterMs` asks to be called again
 * without a failure. `signal` says that it takes too long. Lines of `log` carry the run's reconcileID.
 */
export type Reconcile = (
  key: string,
  signal: AbortSignal,
  log: Log,
) => Promise<{ readonly requeueAfterMs?: number } | void>;

/** How a run ended, in the words of controller-runtime's metric. */
export type ReconcileResult = 'success' | 'requeue_after' | 'error';

/** A run that is over. */
export interface FinishedRun {
  readonly result: ReconcileResult;
  readonly durationMs: number;
  /** It failed with a TerminalError. */
  readonly terminal: boolean;
  /** It failed after its time was up. */
  readonly timedOut: boolean;
}

/** Hears of every run, for metrics. Must not throw. */
export interface ControllerObserver {
  started(): void;
  finished(run: FinishedRun): void;
}

/** What a controller is made of. */
export interface ControllerOptions {
  /** In logs. */
  readonly name: string;
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  /** Keys that are reconciled at the same time. */
  readonly workers: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer?: ControllerObserver | undefined;
  /** When the signal of a run is aborted; never where left out. */
  readonly timeoutMs?: number | undefined;
  /** Names a run in logs. */
  readonly newReconcileID?: () => string;
}

/** Workers of one queue. */
export interface Controller {
  start(): void;
  /**
   * Shuts the queue down and resolves when every worker is done with its key. Runs that last longer than `graceMs` have
   * their signals aborted. Never resolves before they are over: whoever goes on to give the lease away relies on that.
   */
  stop(graceMs?: number): Promise<void>;
}

/** A controller that has not started. */
export function createController(options: ControllerOptions): Controller {
  return new QueueController(options);
}

type Outcome =
  | { readonly type: 'done'; readonly requeueAfterMs: number }
  | { readonly type: 'failed'; readonly error: unknown };

class QueueController implements Controller {
  readonly #options: ControllerOptions;
  /** Of the runs that are under way. */
  readonly #aborts = new Set<AbortController>();
  readonly #workers: Promise<void>[] = [];
  #graceIsOver = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  start(): void {
    for (let count = 0; count < this.#options.workers; count += 1) this.#workers.push(this.#work());
  }

  async stop(graceMs = graceMsDefault): Promise<void> {
    const { queue, clock } = this.#options;
    queue.shutDown();
    const timer = clock.setTimer(graceMs, () => {
      this.#graceIsOver = true;
      for (const abort of this.#aborts) abort.abort(new Error('the controller is stopping'));
    });
    await Promise.all(this.#workers);
    timer.cancel();
  }

  async #work(): Promise<void> {
    const { queue } = this.#options;
    for (let item = await queue.get(); item !== undefined; item = await queue.get()) {
      try {
        await this.#run(item);
      } finally {
        queue.done(item.key);
      }
    }
  }

  async #run(item: QueueItem): Promise<void> {
    const { name, clock, timeoutMs, newReconcileID = randomUUID, observer } = this.#options;
    const log = withFields(this.#options.log, { controller: name, key: item.key, reconcileID: newReconcileID() });
    const startedMs = clock.monotonic();
    observer?.started();

    const abort = new AbortController();
    if (this.#graceIsOver) abort.abort(new Error('the controller is stopping'));
    this.#aborts.add(abort);
    let timeIsUp = false;
    const expire = (): void => {
      timeIsUp = true;
      abort.abort(new Error('the reconcile took too long'));
    };
    const timer = timeoutMs === undefined ? undefined : clock.setTimer(timeoutMs, expire);
    const outcome = await this.#reconcile(item.key, abort.signal, log);
    timer?.cancel();
    this.#aborts.delete(abort);

    const result = this.#requeue(item, outcome, log);
    const terminal = outcome.type === 'failed' && isTerminal(outcome.error);
    const durationMs = clock.monotonic() - startedMs;
    observer?.finished({ result, durationMs, terminal, timedOut: outcome.type === 'failed' && timeIsUp });
  }

  /** Whatever is thrown, and however, is a failure of this run and of nothing else. */
  async #reconcile(key: string, signal: AbortSignal, log: Log): Promise<Outcome> {
    try {
      const answer = await this.#options.reconcile(key, signal, log);
      return { type: 'done', requeueAfterMs: answer?.requeueAfterMs ?? 0 };
    } catch (error) {
      return { type: 'failed', error };
    }
  }

  #requeue({ key, priority }: QueueItem, outcome: Outcome, log: Log): ReconcileResult {
    const { queue } = this.#options;
    if (outcome.type === 'failed') {
      this.#requeueFailed({ key, priority }, outcome.error, log);
      return 'error';
    }
    queue.forget(key);
    log.debug({}, 'reconciled');
    if (outcome.requeueAfterMs <= 0) return 'success';
    queue.addAfter(key, outcome.requeueAfterMs, { priority });
    return 'requeue_after';
  }

  #requeueFailed({ key, priority }: QueueItem, error: unknown, log: Log): void {
    const { queue } = this.#options;
    if (isTerminal(error)) {
      log.error({ error }, 'reconcile failed for good');
      // Nobody retries it, so nobody would forget it.
      queue.forget(key);
      return;
    }
    const refusal = causeOf(error, (cause) => cause instanceof KubeError);
    // Another writer was faster, which is how it should be: the next run reads what that one wrote.
    if (refusal?.reason === 'Conflict') log.debug({ error }, 'reconcile met a conflict');
    else log.error({ error }, 'reconcile failed');
    // A server that asks for hours is asked again all the same: it may be a load balancer that knows nothing.
    const leastMs = Math.min(refusal?.retryAfterMs ?? 0, retryMsMax);
    queue.addRateLimited(key, { priority, leastMs });
  }
}

function isTerminal(error: unknown): boolean {
  return causeOf(error, (cause) => cause instanceof TerminalError) !== undefined;
}

/** The error, or the first of its causes, that is such a one. */
function causeOf<T extends Error>(error: unknown, isSuch: (cause: unknown) => cause is T): T | undefined {
  let cause = error;
  for (let count = 0; count < causesMax; count += 1) {
    if (isSuch(cause)) return cause;
    if (!(cause instanceof Error)) return undefined;
    ({ cause } = cause);
  }
  return undefined;
}

/** The same log, with more fields on every line. */
function withFields(log: Log, fields: LogFields): Log {
  return {
    debug: (more, message) => log.debug({ ...fields, ...more }, message),
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  };
}
