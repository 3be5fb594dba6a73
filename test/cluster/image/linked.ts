// Images of programs that this machine has from its distribution, for what runs beside Sluice in a cluster.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, providePrograms } from '../debian.ts';
import type { Progress } from '../go-build.ts';
import { cacheFolder } from '../programs.ts';
import { run } from '../run.ts';
import { buildImage, saveImage } from './buildah.ts';

/** For `redis.image.repository` and `.tag` of the chart. */
export const redisImage = 'localhost/redis:dev';

/** Puts this machine's Redis into an image; gives its archive. */
export async function provideRedisImage(progress: Progress): Promise<string> {
  await providePrograms({ 'redis-server': 'redis-server' }, { progress });
  return provideLinkedImage('redis-server', redisImage, progress);
}

/** Puts a program of this machine into an image, as /usr/bin/NAME; gives its archive, made once for each version. */
async function provideLinkedImage(name: string, reference: string, progress: Progress): Promise<string> {
  const found = findProgram(name);
  if (found === undefined) throw new Error(`there is no ${name} on this machine`);
  // Debian's redis-server is a link to a program that looks at the name it was called by.
  const program = realpathSync(found);
  const digest = createHash('sha256').update(readFileSync(program)).digest('hex').slice(0, 12);
  const archive = join(cacheFolder(), 'images', `${name}-${digest}.tar`);
  if (existsSync(archive)) return archive;
  progress(`building ${reference} from ${program}`);
  const context = mkdtempSync(join(tmpdir(), 'sluice-linked-'));
  try {
    const put = (from: string, to: string): void => {
      mkdirSync(dirname(join(context, to)), { recursive: true });
      copyFileSync(from, join(context, to));
    };
    put(program, join('/usr/bin', basename(name)));
    for (const library of await librariesOf(program)) put(library, library);
    mkdirSync(join(context, 'etc'));
    writeFileSync(join(context, 'etc/passwd'), 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n');
    writeFileSync(join(context, 'etc/nsswitch.conf'), 'hosts: files dns\n');
    const dockerfile = fileURLToPath(new URL('linked.Dockerfile', import.meta.url));
    await buildImage({ reference, context, dockerfile });
    await saveImage(reference, archive);
    return archive;
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** The loader among them. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const said = await run('ldd', [program]);
  return [...said.matchAll(/(\/\S+) \(0x/g)].flatMap(([, path]) => (path === undefined ? [] : [path]));
}
