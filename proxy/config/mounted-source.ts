// Follows a directory into which Kubernetes mounts the ConfigMaps and the Secret of an installation. The kubelet swaps
// the link `..data` when any of them changes; a poll catches what the watch misses.

import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../canonical/clock.ts';
import { readPublished } from './published.ts';
import type { ConfigIndex } from './schema.ts';
import type { Refusal } from './store.ts';

/** A swap is several events at once. */
const settleMs = 50;
/** inotify is not told of changes on some file systems; the kubelet itself takes up to a minute. */
const pollMs = 5_000;
/** Parts arrive within the kubelet's sync period of each other; after that the wait is worth a word. */
const patienceMs = 90_000;
/** A ConfigMap or Secret holds 1 MiB at most. */
const fileBytesMax = 2 * 1024 * 1024;

/** Who takes configurations, or refuses them. */
export interface ConfigSink {
  /** The refusal, or undefined if it is in force. */
  readonly offer: (config: unknown, credentials: unknown) => Refusal | undefined;
  /** Records that a configuration could not even be offered, and which one, where that is known. */
  readonly refuse: (reasons: readonly string[], identity: Pick<Refusal, 'revision' | 'digest'>) => void;
}

/** What following a directory needs. */
export interface MountedSourceOptions {
  readonly directory: string;
  readonly sink: ConfigSink;
  readonly clock: Clock;
  readonly log: {
    readonly info: (fields: Readonly<Record<string, unknown>>, message: string) => void;
    readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  };
}

/** Reads the directory, then follows it. Resolves after the first read, whatever it found. */
export async function followMounted(options: MountedSourceOptions): Promise<MountedSource> {
  const source = new MountedSource(options);
  await source.start();
  return source;
}

/** A directory that is being followed. */
export class MountedSource {
  readonly #options: MountedSourceOptions;
  /** Revision and digest that were offered last. */
  #known: string | undefined;
  #complaint: string | undefined;
  #pendingSinceMs: number | undefined;
  #reading = false;
  #again = false;
  #stopped = false;
  #timer: Timer | undefined;
  #watcher: FSWatcher | undefined;

  constructor(options: MountedSourceOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { directory, log } = this.#options;
    await this.#refresh();
    try {
      this.#watcher = watch(directory, () => this.#schedule(settleMs));
      this.#watcher.on('error', (err) =>
        log.warn({ err }, 'cannot watch the configuration directory any more; polling goes on'),
      );
    } catch (err) {
      log.warn({ err }, 'cannot watch the configuration directory; polling it');
    }
    this.#schedule(pollMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#watcher?.close();
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    const refreshAndPoll = async (): Promise<void> => {
      await this.#refresh();
      this.#schedule(pollMs);
    };
    this.#timer = this.#options.clock.setTimer(delayMs, () => void refreshAndPoll());
  }

  /** One read at a time; a change during it leads to another. */
  async #refresh(): Promise<void> {
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#look();
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#complain(undefined, `cannot read ${this.#options.directory}: ${reason}`);
    } finally {
      this.#reading = false;
    }
  }

  async #look(): Promise<void> {
    const { sink, clock, log } = this.#options;
    const published = await readPublished((name) => this.#read(name), this.#known);
    if (published === undefined) {
      // Whatever else was there for a while is gone: should it come back, that is news.
      this.#pendingSinceMs = undefined;
      this.#complaint = undefined;
      return;
    }
    const { index } = published;
    if (published.type === 'broken') {
      this.#complain(index, published.reason);
      return;
    }
    if (published.type === 'pending') {
      this.#pendingSinceMs ??= clock.now();
      if (clock.now() - this.#pendingSinceMs > patienceMs) this.#complain(index, `${published.missing} is missing`);
      return;
    }
    this.#pendingSinceMs = undefined;
    this.#known = `${published.index.revision} ${published.index.digest}`;
    const refusal = sink.offer(published.config, published.credentials);
    this.#complaint = refusal?.reasons.join('; ');
    if (refusal === undefined) log.info({ revision: published.index.revision }, 'configuration in force');
    else log.warn({ revision: refusal.revision, reasons: refusal.reasons }, 'configuration refused');
  }

  async #read(name: string): Promise<Buffer | undefined> {
    const path = join(this.#options.directory, name);
    try {
      if ((await stat(path)).size > fileBytesMax) throw new Error(`${name} is larger than ${fileBytesMax} bytes`);
      return await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Once per complaint, not once per poll. */
  #complain(index: ConfigIndex | undefined, reason: string): void {
    if (this.#complaint === reason) return;
    this.#complaint = reason;
    const { sink, log } = this.#options;
    sink.refuse([reason], { revision: index?.revision, digest: index?.digest });
    log.warn({ revision: index?.revision, reason }, 'configuration not taken');
  }
}
