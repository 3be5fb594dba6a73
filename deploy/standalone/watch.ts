// Notices that files have changed, however an editor or a mounted ConfigMap goes about it: by the events of the folders,
// and by looking again every few seconds, because events get lost and some file systems send none.

import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { listFiles } from './load/list-files.ts';

/** How eagerly to look. */
export interface WatchTimes {
  /** Time for an editor to finish what it began. */
  readonly settleMs: number;
  /** Time between two looks without any event. */
  readonly pollMs: number;
}

/** An editor writes, truncates and renames within milliseconds; people notice from about 200 ms on. */
export const watchTimes: WatchTimes = { settleMs: 100, pollMs: 2000 };

/** A running watch. */
export interface Watch {
  /** Stops it. A look that is under way still ends. */
  close(): void;
}

/**
 * Calls `onChange` after the files under the paths have changed and then stayed the same for a moment. One call at a
 * time: what changes during a call is found afterwards. `seen` is the fingerprint that counts as unchanged at first.
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
  const { files, problems } = await listFiles(paths);
  const facts = await Promise.all(
    files.map(async (file) => {
      // Follows links: a ConfigMap is swapped by pointing one at another folder.
      const found = await stat(file, { bigint: true }).catch(() => undefined);
      return [file, found?.dev, found?.ino, found?.size, found?.mtimeNs, found?.ctimeNs].join(' ');
    }),
  );
  return [...facts, ...problems.map(({ file, message }) => `${file} ${message}`)].join('\n');
}

class FileWatch implements Watch {
  readonly #paths: readonly string[];
  readonly #onChange: () => Promise<void>;
  readonly #times: WatchTimes;
  readonly #folders = new Map<string, FSWatcher>();
  #seen: string;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  /** Something happened while a look was under way. */
  #again = false;
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

  #stir(): void {
    if (this.#busy) this.#again = true;
    else this.#lookIn(this.#times.settleMs);
  }

  async #look(): Promise<void> {
    this.#busy = true;
    this.#again = false;
    await this.#watchFolders();
    const now = await fingerprint(this.#paths);
    if (now !== this.#seen && (await this.#hasSettled(now))) {
      this.#seen = now;
      if (!this.#closed) await this.#onChange();
      // What was written while the files were being read has another fingerprint.
      this.#again ||= (await fingerprint(this.#paths)) !== now;
    }
    this.#busy = false;
    this.#lookIn(this.#again ? this.#times.settleMs : this.#times.pollMs);
  }

  /** A file that is half written may be valid, and mean something else: wait until nothing changes any more. */
  async #hasSettled(first: string): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, this.#times.settleMs).unref());
    const settled = (await fingerprint(this.#paths)) === first;
    if (!settled) this.#again = true;
    return settled;
  }

  /** Folders come and go; the paths' own parents also tell of files that are replaced. */
  async #watchFolders(): Promise<void> {
    const { files, folders } = await listFiles(this.#paths);
    const wanted = new Set([
      ...folders,
      ...files.map((file) => dirname(file)),
      ...this.#paths.map((path) => dirname(path)),
    ]);
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#closed && !this.#folders.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#stir());
      // Gone, or out of watches: looking again from time to time still finds everything.
      watcher.on('error', () => {
        watcher.close();
        this.#folders.delete(folder);
      });
      this.#folders.set(folder, watcher);
    } catch {
      // As above.
    }
  }
}
