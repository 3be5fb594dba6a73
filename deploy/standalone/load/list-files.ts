// From paths to files: folders are searched for YAML and JSON, hidden files and links that lead nowhere are passed over.

import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileProblem } from './problem.ts';

/** What was found under some paths. */
export interface Listing {
  /** Every file once, as a person would write its path: in the order of the paths, inside folders by name. */
  readonly files: readonly string[];
  /** Every folder that was searched. */
  readonly folders: readonly string[];
  /** Paths that could not be read, or that hold nothing. */
  readonly problems: readonly FileProblem[];
}

/** Thousands of files are a checkout or a home directory given by mistake: reading them all would take minutes. */
const filesMax = 1000;
/** For the same reason, and because links can make circles. */
const foldersMax = 1000;
const depthMax = 16;

const readable = /\.(ya?ml|json)$/;

/** Lists the files of all paths. A file that is named itself may have any name. */
export async function listFiles(paths: readonly string[]): Promise<Listing> {
  const search = new Search();
  for (const path of paths) await search.add(path);
  return search;
}

class Search implements Listing {
  readonly files: string[] = [];
  readonly folders: string[] = [];
  readonly problems: FileProblem[] = [];
  /** Real paths: the same file may be reached by two of the paths, or by a link. */
  readonly #seen = new Set<string>();
  /** Files that were come across, also those that were known already. */
  #met = 0;

  async add(path: string): Promise<void> {
    const found = await this.#look(path);
    if (found === 'file') return this.#addFile(path);
    if (found !== 'folder') return this.#fail(path, found);
    const before = this.#met;
    await this.#addFolder(path, 0);
    if (this.#met === before) this.#fail(path, 'the folder holds no .yaml, .yml or .json file');
  }

  async #addFolder(folder: string, depth: number): Promise<void> {
    if (depth > depthMax) return this.#fail(folder, `is more than ${depthMax} folders deep`);
    if (this.folders.length >= foldersMax) return this.#failOnce(folder, `there are more than ${foldersMax} folders`);
    if (!(await this.#isNew(folder))) return;
    this.folders.push(folder);
    const names = await readdir(folder).catch((error: unknown) => this.#fail(folder, fileErrorMessage(error)));
    for (const name of (names ?? []).toSorted()) {
      if (name.startsWith('.') || name === 'node_modules') continue;
      const path = join(folder, name);
      const found = await this.#look(path);
      if (found === 'folder') await this.#addFolder(path, depth + 1);
      else if (found === 'file' && readable.test(name)) await this.#addFile(path);
      else if (found !== 'file' && readable.test(name)) this.#fail(path, found);
    }
  }

  async #addFile(path: string): Promise<void> {
    this.#met += 1;
    if (!(await this.#isNew(path))) return;
    if (this.files.length >= filesMax) this.#failOnce(path, `there are more than ${filesMax} files`);
    else this.files.push(path);
  }

  async #look(path: string): Promise<string> {
    try {
      const found = await stat(path);
      if (found.isDirectory()) return 'folder';
      return found.isFile() ? 'file' : 'is neither a file nor a folder';
    } catch (error) {
      return fileErrorMessage(error);
    }
  }

  async #isNew(path: string): Promise<boolean> {
    const real = await realpath(path).catch(() => path);
    if (this.#seen.has(real)) return false;
    this.#seen.add(real);
    return true;
  }

  #fail(file: string, message: string): void {
    this.problems.push({ severity: 'error', file, field: '', message });
  }

  #failOnce(file: string, message: string): void {
    if (!this.problems.some((problem) => problem.message === message)) this.#fail(file, message);
  }
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'may not be read: permission denied',
  EPERM: 'may not be read: permission denied',
  ENOTDIR: 'no such file or folder',
  ELOOP: 'is a link that leads in a circle',
};

/** An error of the file system in words. */
export function fileErrorMessage(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return words[code ?? ''] ?? `cannot be read: ${message}`;
}
