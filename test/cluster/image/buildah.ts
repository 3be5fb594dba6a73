// buildah with a storage of its own, so that it shares nothing with the machine's images, and what it keeps is found in
// one place.

import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../programs.ts';
import { run } from '../run.ts';

/** What to build. */
export interface ImageBuild {
  readonly reference: string;
  /** What COPY sees, less what its .dockerignore names. */
  readonly context: string;
  /** Path of the Dockerfile. */
  readonly dockerfile: string;
  /** Instead of the .dockerignore in the context. */
  readonly ignoreFile?: string;
  readonly args?: Readonly<Record<string, string>>;
  /** `FROM:TO:ro`, for steps that run while it is built; nothing of it is in the image. */
  readonly volumes?: readonly string[];
}

/** Runs buildah. */
export function buildah(args: readonly string[]): Promise<string> {
  const storage = join(cacheFolder(), 'buildah');
  // One below the other: it all goes with one folder.
  const own = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'overlay'];
  return run('buildah', [...own, ...args], { env: { ...process.env, BUILDAH_ISOLATION: 'chroot' } });
}

/** Builds an image; steps whose inputs have not changed are not run again. */
export async function buildImage(build: ImageBuild): Promise<void> {
  const { reference, context, dockerfile, ignoreFile, args = {}, volumes = [] } = build;
  await buildah([
    'bud',
    '--layers',
    '--isolation=chroot',
    '--pull-never',
    '--format=docker',
    `--file=${dockerfile}`,
    `--tag=${reference}`,
    ...(ignoreFile === undefined ? [] : [`--ignorefile=${ignoreFile}`]),
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...volumes.flatMap((volume) => ['--volume', volume]),
    context,
  ]);
}

/** Whether it has been built before. */
export async function hasImage(reference: string): Promise<boolean> {
  return (await buildah(['images', '--quiet', '--filter', `reference=${reference}`])) !== '';
}

/** Writes an image into an archive, as `docker save` does: whole or not at all. */
export async function saveImage(reference: string, archive: string): Promise<void> {
  mkdirSync(dirname(archive), { recursive: true });
  const part = `${archive}.${process.pid}.part`;
  await buildah(['push', '--quiet', reference, `docker-archive:${part}:${reference}`]);
  renameSync(part, archive);
}
