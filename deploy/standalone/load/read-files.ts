// Reads files whole, within limits.

import { type FileHandle, open } from 'node:fs/promises';
import { fileErrorMessage } from './list-files.ts';
import type { FileProblem } from './problem.ts';

/** The text of one file. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** The API server takes objects of at most 1.5 MiB; a file has room for several. Anything larger is something else. */
const fileBytesMax = 4 * 1024 * 1024;
/** What is read is held in memory as text and as objects at the same time, several times its size. */
const totalBytesMax = 64 * 1024 * 1024;

/** Reads every file that can be read. */
export async function readFiles(
  paths: readonly string[],
): Promise<{ readonly texts: readonly SourceText[]; readonly problems: readonly FileProblem[] }> {
  const texts: SourceText[] = [];
  const problems: FileProblem[] = [];
  let bytesLeft = totalBytesMax;
  for (const path of paths) {
    try {
      const bytes = await readBounded(path, Math.min(fileBytesMax, bytesLeft));
      bytesLeft -= bytes.length;
      texts.push({ path, text: decode(bytes) });
    } catch (error) {
      const message = error instanceof Unfit ? error.message : fileErrorMessage(error);
      problems.push({ severity: 'error', file: path, field: '', message });
    }
  }
  return { texts, problems };
}

/** A file that could be read, but is not what it should be. */
class Unfit extends Error {
  override readonly name = 'Unfit';
}

async function readBounded(path: string, bytesMax: number): Promise<Buffer> {
  await using file: FileHandle = await open(path);
  const { size } = await file.stat();
  if (size > bytesMax) {
    const limit =
      bytesMax === fileBytesMax ? `${fileBytesMax / 1024 ** 2} MiB` : `${totalBytesMax / 1024 ** 2} MiB in all`;
    throw new Unfit(`is too large: at most ${limit} are read`);
  }
  return file.readFile();
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Unfit('is not UTF-8 text', { cause });
  }
}
