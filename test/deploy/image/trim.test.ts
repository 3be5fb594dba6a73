import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isUnneeded, trim } from '../../../deploy/image/trim.ts';

describe('what the image leaves out of node_modules', () => {
  test.each([
    'node_modules/zod/index.d.cts',
    'node_modules/zod/src/index.ts',
    'node_modules/undici/README.md',
    'node_modules/@kubernetes/client-node/dist/api.js.map',
    'node_modules/gpt-tokenizer/data/o200k_base.tiktoken',
    'node_modules/fastify/test/body-limit.test.js',
    'node_modules/@fastify/error/benchmarks/create.js',
    'node_modules/fastify/node_modules/pino/docs/api.html',
  ])('%s', (path) => {
    expect(isUnneeded(path)).toBe(true);
  });
});

describe('what stays in the image', () => {
  test.each([
    'node_modules/zod/index.cjs',
    'node_modules/zod/package.json',
    'node_modules/undici/LICENSE',
    'node_modules/undici/LICENSE.md',
    'node_modules/some/dist/test/index.js',
    'node_modules/test/index.js',
    'node_modules/@scope/docs/index.js',
    'node_modules/yaml/dist/doc/Document.js',
  ])('%s', (path) => {
    expect(isUnneeded(path)).toBe(false);
  });
});

describe('trimming', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-trim-'));
  afterEach(() => rmSync(folder, { recursive: true }));

  test('takes files and the folders that become empty, and says how much it was', () => {
    const write = (path: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), 'ten bytes.');
    };
    ['a/index.js', 'a/types/deep/index.d.ts', 'a/index.js.map'].forEach((path) => write(`node_modules/${path}`));
    expect(trim(join(folder, 'node_modules'))).toEqual({ files: 2, bytes: 20 });
    expect(existsSync(join(folder, 'node_modules/a/index.js'))).toBe(true);
    expect(existsSync(join(folder, 'node_modules/a/types'))).toBe(false);
  });
});
