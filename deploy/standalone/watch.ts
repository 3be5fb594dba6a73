// Notices that files have changed, however an editor or a mounted ConfigMap goes about it: by the events of the folders,
// and by looking again every few seconds, because events get lost and some file systems send none.

import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listFiles } from './load/list-files.ts';

/** How eagerly to look. */
export interface WatchTimes {
  /** Time for an editor to finish what it began. */
  readonly settleMs: number;
  /** Time between two looks without any event. */
  readonly pollMs: number;
}

/** An editor writes, truncates and renames within milliseconds; people notice from about 200 ms on. */
const watchTimes: WatchTimes = { settleMs: 100, pollMs: 2000 };

/** A running watch. */
export interface Watch {
  /** Stops it. A look that is under way still ends. */
  close(): void;
}

/**
 * Calls `onChange` after the files under the paths have changed and then stayed the same for a moment. One call at a
 * time: what changes during a call is found afterwards. `seen` is the fingerprint that counts as unchanged at first.
 * `onChange` must not reject.
 */
export function watchFiles(
  paths: readonly string[],
  seen: string,
  onChange: () => Promise<void>,
  times: WatchTimes = watchTimes,
): Watch {
  return new FileWatch(paths, seen, onChange, times);
}

/** Sums up which files there are and what is known of each without reading it. */
export async function fingerprint(paths: readonly string[]): Promise<string> {
  return (await survey(paths)).fingerprint;
}

interface Survey {
  readonly fingerprint: string;
  /** The folders in which something would have to happen for the fingerprint to change. */
  readonly folders: ReadonlySet<string>;
}

async function survey(paths: readonly string[]): Promise<Survey> {
  const { files, folders, problems } = await listFiles(paths);
  const facts = await Promise.all(
    files.map(async (file) => {
      // Follows links: a ConfigMap is swapped by pointing one at another folder.
      const found = await stat(file, { bigint: true }).catch(() => undefined);
      return [file, found?.dev, found?.ino, found?.size, found?.mtimeNs, found?.ctimeNs].join(' ');
    }),
  );
  return {
    fingerprint: [...facts, ...problems.map(({ file, message }) => `${file} ${message}`)].join('\n'),
    folders: new Set([...folders, ...[...files, ...paths].map((path) => dirname(path))]),
  };
}

class FileWatch implements Watch {
  readonly #paths: readonly string[];
  readonly #onChange: () => Promise<void>;
  readonly #times: WatchTimes;
  readonly #folders = new Map<string, FSWatcher>();
  #seen: string;
  #timer: NodeJS.Timeout | undefined;
  /** A look is under way. */
  #looking = false;
  /** Something has happened that the look under way may not have seen, or that no look has seen yet. */
  #stirred = true;
  #closed = false;

  constructor(paths: readonly string[], seen: string, onChange: () => Promise<void>, times: WatchTimes) {
    this.#paths = paths;
    this.#seen = seen;
    this.#onChange = onChange;
    this.#times = times;
    this.#lookIn(times.settleMs);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    // The server keeps the process alive, not the watch.
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }

  /** The first event decides when to look: a folder in which something happens all the time must not put it off. */
  #stir(): void {
    if (this.#stirred) return;
    this.#stirred = true;
    if (!this.#looking) this.#lookIn(this.#times.settleMs);
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#stirred = false;
    const now = await survey(this.#paths);
    this.#watchFolders(now.folders);
    if (now.fingerprint !== this.#seen) await this.#settle(now.fingerprint);
    this.#looking = false;
    this.#lookIn(this.#stirred ? this.#times.settleMs : this.#times.pollMs);
  }

  /** A file that is half written may be valid and mean something else, so nothing is done while things still change. */
  async #settle(first: string): Promise<void> {
    await sleep(this.#times.settleMs, undefined, { ref: false });
    if ((await fingerprint(this.#paths)) !== first) {
      this.#stirred = true;
      return;
    }
    this.#seen = first;
    if (!this.#closed) await this.#onChange();
    // What was written while the files were being read has another fingerprint.
    if ((await fingerprint(this.#paths)) !== first) this.#stirred = true;
  }

  /** Folders come and go. */
  #watchFolders(wanted: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#closed && !this.#folders.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    const forget = (): void => {
      this.#folders.get(folder)?.close();
      this.#folders.delete(folder);
    };
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        // A folder that is deleted or moved away tells of itself; another one may come to its place.
        if (name === basename(folder)) forget();
        this.#stir();
      });
      // Gone, or out of watches: looking again from time to time still finds everything.
      watcher.on('error', forget);
      this.#folders.set(folder, watcher);
    } catch {
      // As above.
    }
  }
}
