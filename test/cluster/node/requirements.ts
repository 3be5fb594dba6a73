// What a machine must be to carry a node, found out by doing it once in namespaces that vanish at once.

import { existsSync, readFileSync } from 'node:fs';
import { run } from '../run.ts';

// Each line is one thing that the kernel may lack; what fails says its name.
const trial = `
  try() { what=$1; shift; out=$("$@" 2>&1) || echo "$what ($out)"; }
  try 'veth pairs' ip link add veth0 type veth peer name veth1
  try 'bridges' ip link add bridge0 type bridge
  try 'nf_tables with NAT' nft add table ip t '{ chain c { type nat hook postrouting priority 100; masquerade; }; }'
  try 'iptables with NAT' iptables -t nat -A POSTROUTING -m comment --comment trial -j MASQUERADE
  try 'a proc of its own' mount -t proc proc /proc
  try 'tmpfs' mount -t tmpfs tmpfs /mnt
  try 'overlayfs' sh -c 'mkdir /mnt/lower /mnt/upper /mnt/work /mnt/all &&
    mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/all'
`;

const hierarchies = ['cpu', 'cpuacct', 'cpuset', 'devices', 'memory', 'pids'];

/** Throws unless this is root on Linux. */
export function assertMayCarryNode(): void {
  if (process.platform !== 'linux') throw new Error(`a node runs on Linux only, not on ${process.platform}`);
  if (process.getuid?.() !== 0) throw new Error('only root can have a node: it takes namespaces, mounts and cgroups');
}

/** Throws, with all that is missing, on a machine that cannot carry a node. The programs must be there. */
export async function assertCanCarryNode(): Promise<void> {
  const missing = [...missingCgroups(), ...(await missingInKernel())];
  if (missing.length > 0) throw new Error(`this machine cannot carry a node; it lacks: ${missing.join('; ')}`);
}

async function missingInKernel(): Promise<readonly string[]> {
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  try {
    const said = await run('unshare', [...namespaces, 'sh', '-c', trial]);
    return said.split('\n').filter((line) => line !== '');
  } catch (error) {
    return [`namespaces of one's own (${error instanceof Error ? error.message : String(error)})`];
  }
}

function missingCgroups(): readonly string[] {
  if (isUnified()) {
    const has = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
    return ['cpu', 'cpuset', 'memory', 'pids'].filter((name) => !has.includes(name)).map((name) => `cgroup ${name}`);
  }
  return hierarchies
    .filter((name) => !existsSync(`/sys/fs/cgroup/${name}/cgroup.procs`))
    .map((name) => `cgroup hierarchy ${name}`);
}

/** Whether the machine has cgroup v2 only. */
export function isUnified(): boolean {
  return existsSync('/sys/fs/cgroup/cgroup.controllers');
}
