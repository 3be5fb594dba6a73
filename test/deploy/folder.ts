// A folder of files that is gone after the test.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with files in it. */
export interface Folder extends Disposable {
  readonly path: string;
  /** The path of a file in it. */
  at(name: string): string;
  /** Writes a file, and the folders above it. */
  write(name: string, content: string | Uint8Array): string;
}

/** Makes a folder with files, by their names. */
export function makeFolder(files: Readonly<Record<string, string>> = {}): Folder {
  const path = mkdtempSync(join(tmpdir(), 'sluice-files-'));
  const at = (name: string): string => join(path, name);
  const write = (name: string, content: string | Uint8Array): string => {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), content);
    return at(name);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, at, write, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
