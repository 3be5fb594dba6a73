// Images from Dockerfiles like ours: they stand on BASE and may run npm in TOOLS.

import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../go-build.ts';
import { cacheFolder } from '../programs.ts';
import { run } from '../run.ts';
import { provideBaseImages } from './base.ts';
import { buildImage, type ImageBuild, saveImage } from './buildah.ts';

/** Builds an image and gives its archive, for `importImages`; steps whose inputs have not changed are not run again. */
export async function provideImage(build: Omit<ImageBuild, 'volumes'>, progress: Progress): Promise<string> {
  const base = await provideBaseImages(progress);
  progress(`building ${build.reference}`);
  await buildImage({ ...build, args: { ...base, ...build.args }, volumes: await npmVolumes(build.context) });
  const archive = join(cacheFolder(), 'images', `${build.reference.replaceAll(/[^a-z0-9.-]+/g, '-')}.tar`);
  await saveImage(build.reference, archive);
  return archive;
}

/** npm's settings, its cache and the machine's authorities: it may reach its registry only with them. */
async function npmVolumes(context: string): Promise<readonly string[]> {
  const cache = (await run('npm', ['config', 'get', 'cache'], { cwd: context })).trim();
  mkdirSync(cache, { recursive: true });
  const settings = join(homedir(), '.npmrc');
  return [
    `${cache}:/npm/.npm`,
    ...(existsSync('/etc/ssl/certs/ca-certificates.crt') ? ['/etc/ssl/certs:/etc/ssl/certs:ro'] : []),
    ...(existsSync(settings) ? [`${settings}:/npm/.npmrc:ro`] : []),
  ];
}
