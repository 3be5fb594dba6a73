#!/usr/bin/env node
/**
 * `node crds/main.ts` writes crds/generated/ and the definitions of the charts; with `--check` it only compares, and fails
 * where a file differs.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { generateFolders } from './generate.ts';

const root = new URL('../', import.meta.url);
const check = process.argv.includes('--check');

for (const { path, files } of generateFolders()) {
  const folder = new URL(path, root);
  await mkdir(folder, { recursive: true });
  for (const { name, text } of files) {
    const file = new URL(name, folder);
    const before = await readFile(file, 'utf8').catch(() => '');
    if (before === text) continue;
    if (check) {
      process.stderr.write(`${path}${name} is not what the schemas say: run "npm run generate"\n`);
      process.exitCode = 1;
    } else {
      await writeFile(file, text);
    }
  }
}
