// Images of one static program, for what a node runs in pods.

import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage, saveImage } from './buildah.ts';

/** Puts a program into an image; the archive lies beside it in the cache, so that it is made once. */
export async function provideProgramImage(path: string, reference: string): Promise<string> {
  const archive = `${path}.image.tar`;
  if (existsSync(archive)) return archive;
  const dockerfile = fileURLToPath(new URL('program.Dockerfile', import.meta.url));
  await buildImage({ reference, context: dirname(path), dockerfile, args: { PROGRAM: basename(path) } });
  await saveImage(reference, archive);
  return archive;
}
