// Follows a directory into which Kubernetes mounts the ConfigMaps and the Secret of an installation. The kubelet swaps
// the link `..data` when any of them changes; a poll catches what the watch misses.

import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../canonical/clock.ts';
import type { ConfigIntake, SourceLog } from './config-intake.ts';
import { PublishedFollower } from './published-follower.ts';

/** A swap is several events at once. */
const settleMs = 50;
/** inotify is not told of changes on some file systems; the kubelet itself takes up to a minute. */
const pollMs = 5_000;
/** A ConfigMap or Secret holds 1 MiB at most. */
const fileBytesMax = 2 * 1024 * 1024;

/** What following a directory needs. */
export interface MountedSourceOptions {
  readonly directory: string;
  readonly intake: ConfigIntake;
  readonly clock: Clock;
  readonly log: SourceLog;
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
  readonly #follower: PublishedFollower;
  #stopped = false;
  #timer: Timer | undefined;
  #watcher: FSWatcher | undefined;

  constructor(options: MountedSourceOptions) {
    const { directory, intake, clock } = options;
    this.#options = options;
    this.#follower = new PublishedFollower({
      place: directory,
      read: (name) => readFileOf(directory, name),
      intake,
      clock,
    });
  }

  async start(): Promise<void> {
    const { directory, log } = this.#options;
    await this.#follower.refresh();
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
      await this.#follower.refresh();
      this.#schedule(pollMs);
    };
    this.#timer = this.#options.clock.setTimer(delayMs, () => void refreshAndPoll());
  }
}

async function readFileOf(directory: string, name: string): Promise<Buffer | undefined> {
  const path = join(directory, name);
  try {
    if ((await stat(path)).size > fileBytesMax) throw new Error(`${name} is larger than ${fileBytesMax} bytes`);
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
