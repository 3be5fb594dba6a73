// Programs that come with Debian: a machine that lacks them gets them, if it is one and we are root.

import { existsSync } from 'node:fs';
import type { Progress } from './go-build.ts';
import { findOnPath, isExecutable } from './path.ts';
import { run } from './run.ts';

/** Debian's package for each program that images are built with. */
export const imagePackages = { buildah: 'buildah', 'dpkg-deb': 'dpkg', tar: 'tar' } as const;

/** And for each that a node is made of. */
export const nodePackages = {
  containerd: 'containerd',
  runc: 'runc',
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  openssl: 'openssl',
  nsenter: 'util-linux',
  mount: 'mount',
} as const;

/** The plugins have no place on any PATH: Debian's, and everybody else's. */
const pluginFolders = ['/usr/lib/cni', '/opt/cni/bin'];
const plugins = ['bridge', 'host-local', 'portmap', 'loopback'];
const pluginPackage = 'containernetworking-plugins';

/** Where the CNI plugins are. */
export function cniPluginFolder(): string | undefined {
  return pluginFolders.find((folder) => plugins.every((name) => isExecutable(`${folder}/${name}`)));
}

// One install at a time on the machine: the lock is that of test/support/tools.ts. policy-rc.d keeps packages from
// starting their services; a file that is already there is the machine's own and stays. Recommended packages are left
// out: among them are other ways of doing the same.
const script = `
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\\nexit 101\\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 || true
  apt-get install -y -qq --no-install-recommends "$@"
`;

/** Makes sure that programs are there; rejects, saying which command provides them, where it cannot. */
export async function providePrograms(
  packages: Readonly<Record<string, string>>,
  { cni = false, progress }: { readonly cni?: boolean; readonly progress: Progress },
): Promise<void> {
  const missing = missingPackages(packages, cni);
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    progress(`installing ${missing.join(', ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('flock', ['/tmp/sluice-apt.lock', 'sh', '-c', script, 'install', ...missing], { env });
  }
  const still = missingPackages(packages, cni);
  if (still.length > 0) throw new Error(`this machine lacks ${still.join(', ')}; on Debian, as root: ${command}`);
}

function missingPackages(packages: Readonly<Record<string, string>>, cni: boolean): readonly string[] {
  const missing = Object.entries(packages).filter(([program]) => findProgram(program) === undefined);
  const names = missing.map(([, name]) => name);
  return cni && cniPluginFolder() === undefined ? [...names, pluginPackage] : names;
}

/** The absolute path of a program: Debian keeps some in /usr/sbin, which is not on every PATH. */
export function findProgram(name: string): string | undefined {
  return findOnPath(name) ?? [`/usr/sbin/${name}`, `/sbin/${name}`].find(isExecutable);
}
