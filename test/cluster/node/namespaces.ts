// The namespaces that a node lives in: its own network, processes and mounts. Whatever runs in them ends with their first
// process, by the kernel's hand, and takes mounts, links and rules with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { filesOf, type NodePlace } from './place.ts';

/** The first process of a node. */
export interface Holder {
  readonly pid: number;
  /** The process namespace that it is the first in: numbers of processes are used again. */
  readonly namespace: string;
}

const startsWithinMs = 10_000;
const endsWithinMs = 20_000;
const pollMs = 10;

// What the kubelet wants these to be. It writes what differs, and would change them for the whole machine; in its own
// namespace it finds them as they should be.
const kernelSettings = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
  'kernel/keys/root_maxkeys': '1000000',
  'kernel/keys/root_maxbytes': '25000000',
} as const;

// /var/lib, /var/log and /run are the node's own, so that all programs may use the places they always use: nothing of
// the machine's containerd, CNI or kubelet is seen or touched. The node's folder is itself below /var/lib, and must stay
// where it was. /var/lib, with all images and containers, is in memory (0.6 GB): it is faster, and gone at once. Mounts of
// the machine still arrive here; none goes back.
const script = `
  set -e
  mount -t proc proc /proc
  mount -t tmpfs -o mode=755 tmpfs "$VAR_LIB"
  mkdir -p "$VAR_LIB/\${FOLDER#/var/lib/}"
  mount --bind "$FOLDER" "$VAR_LIB/\${FOLDER#/var/lib/}"
  mount --bind "$RUN" /run
  mount --bind "$VAR_LOG" /var/log
  for name in $KERNEL_SETTINGS; do mount --bind "$KERNEL_SETTINGS_FOLDER/$name" "/proc/sys/$name"; done
  mount --rbind "$VAR_LIB" /var/lib
  mount --make-rshared /
  exec "$FIRST"
`;

/** Makes the namespaces; `first` is a program that waits and collects orphans. */
export async function makeNamespaces(place: NodePlace, first: string): Promise<Holder> {
  const files = filesOf(place);
  [files.varLib, files.varLog, files.run].forEach((path) => mkdirSync(path, { recursive: true }));
  for (const [name, value] of Object.entries(kernelSettings)) {
    const path = join(files.kernelSettings, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${value}\n`);
  }
  // The cache may be below a folder that the node does not see.
  const own = join(place.folder, 'first');
  cpSync(first, own);
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--propagation', 'slave'];
  const child = spawn('unshare', [...namespaces, 'sh', '-c', script], {
    detached: true,
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      FOLDER: place.folder,
      VAR_LIB: files.varLib,
      VAR_LOG: files.varLog,
      RUN: files.run,
      KERNEL_SETTINGS: Object.keys(kernelSettings).join(' '),
      KERNEL_SETTINGS_FOLDER: files.kernelSettings,
      FIRST: own,
    },
  });
  await once(child, 'spawn');
  child.unref();
  return holderOf(child.pid ?? 0, own);
}

/** Waits until the mounts are made, and the first process is what it should be. */
async function holderOf(parent: number, program: string): Promise<Holder> {
  for (const deadlineMs = performance.now() + startsWithinMs; performance.now() < deadlineMs; await delay(pollMs)) {
    const pid = childOf(parent);
    if (pid !== undefined && linkOf(pid, 'exe') === program) return { pid, namespace: linkOf(pid, 'ns/pid') ?? '' };
  }
  throw new Error(`the namespaces of the node did not come up within ${startsWithinMs} ms`);
}

function childOf(parent: number): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    // The name, in parentheses, may hold anything.
    const [, parent] = /^.*\) \S (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return Number(parent);
  } catch {
    return undefined;
  }
}

function linkOf(pid: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return undefined;
  }
}

/** Whether the node that was made is still there. */
export function isHeld({ pid, namespace }: Holder): boolean {
  return linkOf(pid, 'ns/pid') === namespace;
}

/** The command line that runs a program in the node. */
export function inside({ pid }: Holder, command: readonly string[]): readonly string[] {
  return ['nsenter', `--target=${pid}`, '--mount', '--net', '--pid', '--', ...command];
}

/** Ends everything in it, and waits until it is gone. */
export async function endNamespaces(holder: Holder): Promise<void> {
  if (!isHeld(holder)) return;
  process.kill(holder.pid, 'SIGKILL');
  // The first process is gone only when all others are.
  for (const deadlineMs = performance.now() + endsWithinMs; isHeld(holder); await delay(pollMs)) {
    if (performance.now() > deadlineMs) throw new Error(`process ${holder.pid} did not end in ${endsWithinMs} ms`);
  }
}
