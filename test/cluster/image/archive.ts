// What is in an archive of an image, to be weighed.

import { run } from '../run.ts';

/** How big an image is, unpacked. */
export interface ImageSize {
  readonly bytes: number;
  /** Each layer, from the base up. */
  readonly layers: readonly number[];
  /** The folders with most in them, the biggest first; what is deeper than four counts for the fourth. */
  readonly folders: readonly FolderSize[];
}

/** A folder of the image, with all that is in it. */
export interface FolderSize {
  readonly path: string;
  readonly bytes: number;
}

interface Manifest {
  readonly Layers: readonly string[];
}

// Deep enough to tell one package in node_modules from another.
const depthMax = 4;
const foldersMax = 5;

/** Weighs an image in an archive of `docker save`. */
export async function weighArchive(archive: string): Promise<ImageSize> {
  const [manifest] = JSON.parse(await run('tar', ['-xOf', archive, 'manifest.json'])) as readonly Manifest[];
  const layers: number[] = [];
  const folders = new Map<string, number>();
  for (const layer of manifest?.Layers ?? []) {
    const listing = await run('sh', ['-c', 'tar -xOf "$1" "$2" | tar -tvf -', 'weigh', archive, layer]);
    layers.push(weighListing(listing, folders));
  }
  return { bytes: layers.reduce((sum, bytes) => sum + bytes, 0), layers, folders: biggest(folders) };
}

function weighListing(listing: string, folders: Map<string, number>): number {
  let bytes = 0;
  // -rw-r--r-- 0/0   1234 1970-01-01 00:00 app/package.json
  for (const [, size = '', path = ''] of listing.matchAll(/^-\S+ \S+ +(\d+) \S+ \S+ (.*)$/gm)) {
    bytes += Number(size);
    const folder = path.split('/').slice(0, -1).slice(0, depthMax).join('/');
    folders.set(folder, (folders.get(folder) ?? 0) + Number(size));
  }
  return bytes;
}

function biggest(folders: ReadonlyMap<string, number>): readonly FolderSize[] {
  return [...folders]
    .map(([path, bytes]) => ({ path: `/${path}`, bytes }))
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, foldersMax);
}
