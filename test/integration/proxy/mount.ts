// A volume as the kubelet mounts it: files are links into `..data`, which is itself a link that is swapped for one to a new
// directory when anything changes. In the order of its AtomicWriter, so that every state in between is seen too.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { packConfig } from '../../../operator/apply/pack.ts';
import { makeFolder } from '../../deploy/folder.ts';
import { type ConfigDraft, configOf, type ConfigPair } from '../../support/config.ts';

/** What a volume holds, by name. */
export type Files = ReadonlyMap<string, Uint8Array | string>;

/** A published configuration, and the files in which it is. */
export interface Publication extends ConfigPair {
  readonly files: Files;
  readonly index: string;
  readonly parts: readonly string[];
  readonly secret: string;
}

/** Publishes a configuration as the operator does, later than those before. */
export function publish(draft: ConfigDraft, partBytesMax = 1_000_000): Publication {
  const { config, credentials } = configOf(draft);
  const packed = packConfig(config, credentials, { partBytesMax });
  const files = [packed.index, ...packed.parts, packed.credentials].map(({ name, bytes }) => [name, bytes] as const);
  return {
    config,
    credentials,
    files: new Map(files),
    index: packed.index.name,
    parts: packed.parts.map(({ name }) => name),
    secret: packed.credentials.name,
  };
}

/** Files without some of them. */
export function without(files: Files, ...names: readonly string[]): Files {
  return new Map([...files].filter(([name]) => !names.includes(name)));
}

/** A mounted volume. */
export interface Mount extends Disposable {
  readonly path: string;
  /** Swaps everything in it at once. */
  hold(...files: readonly Files[]): void;
}

/** Mounts an empty volume. */
export function makeMount(): Mount {
  const folder = makeFolder();
  let swaps = 0;
  const hold = (...files: readonly Files[]): void => {
    swaps += 1;
    swap(
      folder.path,
      `..2026_10_03_12_00_00.${String(swaps).padStart(10, '0')}`,
      new Map(files.flatMap((it) => [...it])),
    );
  };
  hold();
  return { path: folder.path, hold, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

function swap(directory: string, version: string, files: Files): void {
  const link = join(directory, '..data');
  const previous = existsSync(link) ? readlinkSync(link) : undefined;
  mkdirSync(join(directory, version));
  for (const [name, bytes] of files) writeFileSync(join(directory, version, name), bytes);
  symlinkSync(version, `${link}_tmp`);
  renameSync(`${link}_tmp`, link);
  for (const name of files.keys()) {
    if (!isLink(join(directory, name))) symlinkSync(join('..data', name), join(directory, name));
  }
  const stale = readdirSync(directory).filter((name) => !name.startsWith('..') && !files.has(name));
  for (const name of stale) unlinkSync(join(directory, name));
  if (previous !== undefined) rmSync(join(directory, previous), { recursive: true });
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
