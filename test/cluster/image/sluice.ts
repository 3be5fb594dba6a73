// The image of this checkout, built as the Dockerfile says and kept as an archive: made anew only if something that goes
// into it has changed.

import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Progress } from '../go-build.ts';
import { cacheFolder } from '../programs.ts';
import { run } from '../run.ts';
import { weighArchive, type ImageSize } from './archive.ts';
import { type BaseImages, provideBaseImages } from './base.ts';
import { provideImage } from './image.ts';

/** What clusters of the tests call it. Not `latest`: Kubernetes would want to pull it. */
export const sluiceImage = 'localhost/sluice:dev';

/** An image that was built. */
export interface BuiltImage {
  readonly reference: string;
  /** Readable by `docker load`, `ctr images import`, `kind load image-archive`. */
  readonly archive: string;
  /** CycloneDX, of what `npm ci` installs into it. */
  readonly sbom: string;
  /** False if it was there already. */
  readonly isNew: boolean;
}

/**
 * What the image may weigh, in all and on top of its base. It is 205 MB and 48, of which Node itself is 150 and the
 * client of Kubernetes 25: a dependency that takes us over this must be worth it.
 */
const bytesMax = { all: 220e6, own: 60e6 };

const root = fileURLToPath(new URL('../../../', import.meta.url));
const ignoreFile = join(root, '.dockerignore');
const dockerfile = join(root, 'deploy', 'Dockerfile');
/** The present one, and one that another checkout may be about to load. */
const archivesKept = 4;

/** Builds it, or finds it. */
export async function provideSluiceImage(progress: Progress): Promise<BuiltImage> {
  const base = await provideBaseImages(progress);
  const folder = join(cacheFolder(), 'images');
  const digest = digestOfInputs(base);
  const found = imageIn(folder, digest);
  if (existsSync(found.archive)) return { ...found, isNew: false };
  mkdirSync(folder, { recursive: true });
  const sbom = await billOfMaterials();
  const build = { reference: sluiceImage, context: root, dockerfile, args: await versionArgs() };
  const archive = await provideImage(build, progress);
  // Somebody who went on editing meanwhile has made something that is neither before nor after.
  const built = imageIn(folder, digestOfInputs(base) === digest ? digest : 'edited-meanwhile');
  renameSync(archive, built.archive);
  writeFileSync(built.sbom, sbom);
  removeOld(folder);
  return { ...built, isNew: true };
}

function imageIn(folder: string, digest: string): Omit<BuiltImage, 'isNew'> {
  const name = join(folder, `sluice-${digest}`);
  return { reference: sluiceImage, archive: `${name}.tar`, sbom: `${name}.cdx.json` };
}

/** Weighs it; throws if it has become too heavy. */
export async function weighSluiceImage({ archive }: BuiltImage): Promise<ImageSize> {
  const size = await weighArchive(archive);
  const own = size.bytes - (size.layers[0] ?? 0);
  if (size.bytes > bytesMax.all || own > bytesMax.own) {
    const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
    throw new Error(
      `the image has ${megabytes(size.bytes)}, ${megabytes(own)} of it on top of the base; ` +
        `${megabytes(bytesMax.all)} and ${megabytes(bytesMax.own)} are what it may have (test/cluster/image/sluice.ts)`,
    );
  }
  return size;
}

/** Of all that the build can see, and of what it stands on. */
function digestOfInputs(base: BaseImages): string {
  const hash = createHash('sha256').update(JSON.stringify(base));
  for (const path of [ignoreFile, dockerfile, ...filesInContext()]) hash.update(path).update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}

function filesInContext(): readonly string[] {
  const lines = readFileSync(ignoreFile, 'utf8').split('\n');
  const included = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const entries = included.flatMap((path) => globSync([path, `${path}/**`], { cwd: root, withFileTypes: true }));
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return [...new Set(paths)].toSorted();
}

/** A change that is not committed has no name, only `-dirty`. */
async function versionArgs(): Promise<Readonly<Record<string, string>>> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const describe = run('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], { cwd: root });
  return { VERSION: version, REVISION: (await describe.catch(() => 'unknown')).trim() };
}

async function billOfMaterials(): Promise<string> {
  const args = ['sbom', '--omit=dev', '--omit=optional', '--sbom-format=cyclonedx', '--sbom-type=application'];
  return run('npm', [...args, '--package-lock-only'], { cwd: root });
}

/** Every change of a source file makes another archive. */
function removeOld(folder: string): void {
  const archives = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => /^sluice-.*\.tar$/.test(name));
  const byAge = archives
    .map(({ name }) => join(folder, name))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of byAge.slice(archivesKept)) {
    rmSync(path, { force: true });
    rmSync(path.replace(/\.tar$/, '.cdx.json'), { force: true });
  }
}
