// The two images that the Dockerfile stands on, for machines that reach no registry of images: Debian's libraries, the
// Node of this repository, and what the public ones have besides.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { imagePackages, providePrograms } from '../debian.ts';
import type { Progress } from '../go-build.ts';
import { run } from '../run.ts';
import { buildImage, hasImage } from './buildah.ts';

/** The build arguments of the Dockerfile. */
export interface BaseImages {
  readonly BASE: string;
  readonly TOOLS: string;
}

/** What `ldd node` names, and the authorities that vendors' certificates are checked with. */
const runtimePackages = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'ca-certificates'];
/** A shell for the steps of the Dockerfile; the result has none. */
const toolPackages = ['busybox-static'];
/** To be raised when what follows changes. */
const recipe = 2;

const nodeFolder = fileURLToPath(
  new URL(`../../../node_modules/node-linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}/`, import.meta.url),
);

/** Puts both in place, unless they are there. */
export async function provideBaseImages(progress: Progress): Promise<BaseImages> {
  await providePrograms(imagePackages, { progress });
  const { version } = JSON.parse(readFileSync(join(nodeFolder, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const tag = `${version}-${recipe}`;
  const images = { BASE: `localhost/sluice-base:${tag}`, TOOLS: `localhost/sluice-tools:${tag}` };
  if ((await hasImage(images.BASE)) && (await hasImage(images.TOOLS))) return images;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-base-'));
  try {
    progress(`building ${images.BASE} from Debian's packages and Node ${version}`);
    await unpack(runtimePackages, join(folder, 'base'));
    completeBase(join(folder, 'base'));
    await buildImage({ reference: images.BASE, context: join(folder, 'base'), dockerfile: dockerfileOf('base') });
    progress(`building ${images.TOOLS}`);
    await unpack(toolPackages, join(folder, 'tools'));
    await completeTools(join(folder, 'tools'));
    await buildImage({
      reference: images.TOOLS,
      context: join(folder, 'tools'),
      dockerfile: dockerfileOf('tools'),
      args: { BASE: images.BASE },
    });
    return images;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function dockerfileOf(name: 'base' | 'tools'): string {
  return fileURLToPath(new URL(`${name}.Dockerfile`, import.meta.url));
}

async function unpack(packages: readonly string[], root: string): Promise<void> {
  const downloads = `${root}-packages`;
  mkdirSync(downloads, { recursive: true });
  // As root it would complain that its own user cannot write here.
  await run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...packages], { cwd: downloads });
  for (const name of readdirSync(downloads)) await run('dpkg-deb', ['-x', join(downloads, name), root]);
}

/** Adds Node, users, the order of name look-ups and the bundle of authorities; takes out what only people and locales need. */
function completeBase(root: string): void {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write('etc/passwd', 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n');
  write('etc/group', 'root:x:0:\nnonroot:x:65532:\n');
  write('etc/nsswitch.conf', 'hosts: files dns\n');
  const authorities = join(root, 'usr/share/ca-certificates/mozilla');
  const bundle = readdirSync(authorities).map((name) => readFileSync(join(authorities, name), 'utf8'));
  write('etc/ssl/certs/ca-certificates.crt', bundle.join(''));
  mkdirSync(join(root, 'nodejs/bin'), { recursive: true });
  cpSync(join(nodeFolder, 'bin/node'), join(root, 'nodejs/bin/node'));
  mkdirSync(join(root, 'tmp'), { mode: 0o1777 });
  const libraries = readdirSync(join(root, 'usr/lib')).map((name) => `usr/lib/${name}/gconv`);
  for (const path of [
    'usr/share/man',
    'usr/share/lintian',
    'usr/share/locale',
    'usr/lib/locale',
    'usr/sbin',
    ...libraries,
  ]) {
    rmSync(join(root, path), { recursive: true, force: true });
  }
}

/** Adds a shell, and the npm of this machine where the public image of Node has its own. */
async function completeTools(root: string): Promise<void> {
  for (const name of ['sh', 'env']) symlinkTo('/bin/busybox', join(root, 'bin', name));
  symlinkTo('../../bin/env', join(root, 'usr/bin/env'));
  const npm = join((await run('npm', ['root', '--global'])).trim(), 'npm');
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
  symlinkTo('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  symlinkTo('/nodejs/bin/node', join(root, 'usr/local/bin/node'));
  mkdirSync(join(root, 'npm'), { recursive: true });
}

function symlinkTo(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}
