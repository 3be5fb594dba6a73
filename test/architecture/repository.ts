// The files of the checkout: what git tracks, and what it would if it were added.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceFile, type SourceFile } from './source-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Reads every text file that a rule may want to see. */
export function repositoryFiles(): SourceFile[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  return list
    .toString()
    .split('\0')
    .filter((path) => /\.(ts|md|ya?ml|tpl|sh|html)$/.test(path) && existsSync(join(root, path)))
    .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')));
}
