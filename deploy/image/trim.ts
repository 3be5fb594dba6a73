// Takes out of installed packages what Node never loads: half of their bytes.

import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What was taken out. */
export interface Trimmed {
  readonly files: number;
  readonly bytes: number;
}

// Inside node_modules Node strips no types, so that TypeScript is for compilers only; source maps are for debuggers; .bare
// is native code of another runtime; .tiktoken is what the tables of the tokenizer were made from.
const unloadable = /\.(?:[cm]?ts|tsx|map|md|markdown|bare|tiktoken)$/;
/** What packages publish of their own development, beside their package.json. */
const development =
  /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^@/][^/]*\/(?:tests?|__tests__|benchmarks?|docs?|examples?)\/(?:.*\/)?[^/]+$/;
/** Licences ask to be handed on, whatever format they are written in. */
const licence = /(?:^|\/)(?:licen[cs]e|notice|copying|patents)[^/]*$/i;

/** Whether the program can do without a file, by its path from the folder that holds `node_modules`. */
export function isUnneeded(path: string): boolean {
  return (unloadable.test(path) || development.test(path)) && !licence.test(path);
}

/** Trims every package below a folder called `node_modules`. */
export function trim(nodeModules: string): Trimmed {
  let files = 0;
  let bytes = 0;
  trimFolder(nodeModules, 'node_modules');
  return { files, bytes };

  function trimFolder(folder: string, known: string): void {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        trimFolder(path, `${known}/${entry.name}`);
        if (readdirSync(path).length === 0) rmdirSync(path);
      } else if (entry.isFile() && isUnneeded(`${known}/${entry.name}`)) {
        files++;
        bytes += statSync(path).size;
        rmSync(path);
      }
    }
  }
}
