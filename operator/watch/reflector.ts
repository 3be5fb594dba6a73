// Keeps a cache equal to a collection of the API server: list, then watch from there, for ever. To client-go's rules, with
// their reasons beside them. Never ends by itself: whatever fails is tried again.

import { type Clock, waitOrAbort } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/kube-error.ts';
import { collectionPath, type KubeObject, type ResourceType } from '../kube/object.ts';
import type { Log } from '../log.ts';
import { type Backoff, createBackoff } from './backoff.ts';
import type { ObjectSink } from './cache.ts';
import { isOlder } from './resource-version.ts';
import { readEvents, type WatchEvent } from './watch-events.ts';

/** Objects a page: the API server must not have to put thousands into one answer. */
const pageSize = 500;
/** A page of objects of the largest size still fits. */
const listTimeoutMs = 60_000;
/** The API server ends a watch after this many seconds or up to twice as many, so that watches spread over servers. */
const watchSeconds = 300;
/** Bookmarks come once a minute, the first after two: who says nothing for longer is not there any more. */
const silenceMsDefault = 180_000;
/** How often a missing kind is looked for: somebody may install it. */
const absentRetryMs = 15_000;
/** A kind that was there and is missing may only not be served yet: whoever stands in for an API server may say so too. */
const absentAfterMs = 10_000;
/**
 * An API server that has just started forbids everything until it has read its roles, some 0.3 s later. Who starts at that
 * moment must not take it for the last word: what is refused for want of a grant would be taken from the proxies.
 */
const forbiddenAfterMs = 3_000;
/** A refusal that may not be the last word is looked at again soon. */
const doubtfulRetryMs = 1_000;
/** A server that asks for hours is asked again all the same: it may be a load balancer that knows nothing. */
const retryAfterMsMax = 60_000;

/** What is kept equal to what. */
export interface ReflectorOptions {
  readonly client: KubeClient;
  readonly type: ResourceType;
  /** One namespace; all where left out. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Whether the kind may be missing, or forbidden: it then counts as empty. */
  readonly optional?: boolean;
  /** How long a watch may be silent. */
  readonly silenceMs?: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
}

/** A watch from here on cannot be had any more: everything must be listed again. */
class Expired extends Error {}

/** Follows one collection. */
export class Reflector {
  readonly #sink: ObjectSink;
  readonly #options: ReflectorOptions;
  /** Version up to which everything has been seen; undefined: a list is needed. */
  #version: string | undefined;
  #missingSinceMs: number | undefined;
  #complaint: string | undefined;
  /** Breaks off what is being done, to begin with a list. */
  #restart = new AbortController();
  /** Of those who wait for a list. */
  #refreshed: (() => void)[] = [];

  constructor(sink: ObjectSink, options: ReflectorOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Runs until the signal is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const backoff = createBackoff(clock, random);
    const onSign = (): void => {
      backoff.succeeded();
      this.#recovered();
    };
    while (!signal.aborted) {
      this.#restart = new AbortController();
      const broken = AbortSignal.any([signal, this.#restart.signal]);
      if (this.#refreshed.length > 0) this.#version = undefined;
      try {
        this.#version ??= await this.#list(broken);
        await this.#watch(this.#version, broken, onSign);
      } catch (error) {
        if (broken.aborted) continue;
        this.#failed(error);
        await waitOrAbort(clock, this.#pauseMs(error, backoff), broken);
      }
    }
  }

  /** Reads everything anew. Resolves when that is done: what was told before is then there, whatever became of the watch. */
  refresh(): Promise<void> {
    const done = new Promise<void>((resolve) => this.#refreshed.push(resolve));
    this.#restart.abort();
    return done;
  }

  #tellRefreshed(): void {
    for (const resolve of this.#refreshed.splice(0)) resolve();
  }

  #pauseMs(error: unknown, backoff: Backoff): number {
    if (this.#missingSinceMs === undefined) return backoff.next(retryAfterMs(error));
    return this.#sink.state() === 'absent' ? absentRetryMs : doubtfulRetryMs;
  }

  /** Everything that there is, page by page, as of one version, which it returns. A consistent read: never from a server that lags. */
  async #list(signal: AbortSignal): Promise<string> {
    const listing = this.#sink.startList();
    let page: ObjectList;
    let from: string | undefined;
    do {
      page = await this.#options.client.call<ObjectList>({
        method: 'GET',
        path: this.#path,
        query: { ...this.#selectors, limit: pageSize, continue: from },
        timeoutMs: listTimeoutMs,
        signal,
      });
      listing.add(page.items ?? []);
      from = page.metadata.continue === '' ? undefined : page.metadata.continue;
    } while (from !== undefined);
    // Whoever wants it read anew does not mean this.
    signal.throwIfAborted();
    this.#missingSinceMs = undefined;
    listing.end(page.metadata.resourceVersion);
    this.#tellRefreshed();
    return page.metadata.resourceVersion;
  }

  /** Takes events until the server ends the watch in good order, or throws. */
  async #watch(from: string, signal: AbortSignal, onSign: () => void): Promise<void> {
    const { client, clock, random } = this.#options;
    const ended = new AbortController();
    const silence = createSilence(clock, this.#options.silenceMs ?? silenceMsDefault, () => {
      // Listed anew: a watch from a version that a restored cluster has not reached yet is silent too, for ever.
      this.#version = undefined;
      ended.abort(new Error('the watch was silent'));
    });
    const startedMs = clock.monotonic();
    try {
      const chunks = await client.stream({
        method: 'GET',
        path: this.#path,
        query: {
          ...this.#selectors,
          watch: true,
          resourceVersion: from,
          allowWatchBookmarks: true,
          timeoutSeconds: Math.round(watchSeconds * (1 + random())),
        },
        signal: AbortSignal.any([signal, ended.signal]),
      });
      onSign();
      for await (const event of readEvents(chunks)) {
        silence.reset();
        onSign();
        this.#take(event);
      }
    } finally {
      silence.stop();
      // Whoever stops reading must not leave the connection open.
      ended.abort();
    }
    // A server that ends watches at once would be asked again without a pause.
    if (clock.monotonic() - startedMs < 1000) throw new Error('the watch ended at once');
  }

  #take(event: WatchEvent): void {
    const { resourceVersion } = event.object.metadata ?? {};
    // Versions go forward, unless the cluster was restored from a backup: a watch from where it was before is silent.
    if (isOlder(resourceVersion, this.#version)) throw new Expired('the history is another');
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#sink.put(event.object);
        break;
      case 'DELETED':
        this.#sink.remove(event.object);
        break;
      case 'BOOKMARK':
        break;
      case 'ERROR': {
        const { code = 0, reason = '' } = event.object;
        if (code === 410) throw new Expired('the version is too old to watch from');
        throw new KubeError(`the watch ended with ${code} ${reason}`, { status: code, reason });
      }
    }
    this.#version = resourceVersion ?? this.#version;
  }

  #failed(error: unknown): void {
    const status = error instanceof KubeError ? error.status : undefined;
    // Refusals are about the kind, or the whole collection; faults of the connection are not, and the watch goes on from
    // where it was.
    if (error instanceof Expired || [400, 401, 403, 404, 410].includes(status ?? 0)) this.#version = undefined;
    if (error instanceof Expired || status === 410) return;
    if (this.#options.optional === true && (status === 403 || status === 404)) return this.#missing(status);
    this.#missingSinceMs = undefined;
    this.#complain(error);
  }

  #missing(status: number): void {
    const { clock, type, log } = this.#options;
    const state = this.#sink.state();
    this.#missingSinceMs ??= clock.monotonic();
    const certainAfterMs = state === 'synced' ? absentAfterMs : status === 403 ? forbiddenAfterMs : 0;
    if (state !== 'absent' && clock.monotonic() - this.#missingSinceMs < certainAfterMs) return;
    this.#tellRefreshed();
    if (state === 'absent') return;
    this.#sink.markAbsent();
    log.info({ kind: type.kind }, 'not installed, or may not be read: there are none');
  }

  /** Once per kind of failure, not once per try. */
  #complain(error: unknown): void {
    const { type, namespace, log } = this.#options;
    const failure = failureOf(error);
    if (this.#complaint === failure) return;
    this.#complaint = failure;
    log.warn({ kind: type.kind, namespace, error }, 'cannot list or watch; trying again');
  }

  #recovered(): void {
    if (this.#complaint === undefined) return;
    this.#complaint = undefined;
    const { type, namespace, log } = this.#options;
    log.info({ kind: type.kind, namespace }, 'listing and watching again');
  }

  get #path(): string {
    return collectionPath(this.#options.type, this.#options.namespace);
  }

  get #selectors(): { labelSelector: string | undefined; fieldSelector: string | undefined } {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
  }
}

interface ObjectList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: readonly KubeObject[];
}

/** What kind of failure it is: of words there are as many as requests. */
function failureOf(error: unknown): string {
  if (error instanceof KubeError) return `${error.status} ${error.reason}`;
  return error instanceof Error ? error.message : String(error);
}

function retryAfterMs(error: unknown): number {
  if (error instanceof Expired) return 0;
  return error instanceof KubeError ? Math.min(error.retryAfterMs ?? 0, retryAfterMsMax) : 0;
}

/** Fires when nothing has been heard for a while. */
function createSilence(clock: Clock, silenceMs: number, fire: () => void): { reset(): void; stop(): void } {
  let timer = clock.setTimer(silenceMs, fire);
  return {
    reset() {
      timer.cancel();
      timer = clock.setTimer(silenceMs, fire);
    },
    stop: () => timer.cancel(),
  };
}
