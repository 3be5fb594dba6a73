#!/usr/bin/env node
/** `node crds/main.ts` writes crds/generated/; with `--check` it only compares, and fails where a file differs. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { generateFiles } from './generate.ts';

const folder = new URL('generated/', import.meta.url);
const check = process.argv.includes('--check');

await mkdir(folder, { recursive: true });
for (const { name, text } of generateFiles()) {
  const file = new URL(name, folder);
  const before = await readFile(file, 'utf8').catch(() => '');
  if (before === text) continue;
  if (check) {
    process.stderr.write(`crds/generated/${name} is not what the schemas say: run "npm run generate"\n`);
    process.exitCode = 1;
  } else {
    await writeFile(file, text);
  }
}
