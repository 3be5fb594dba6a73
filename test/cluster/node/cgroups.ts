// The cgroup below which all pods of a node are, in v1 (one hierarchy for each controller) and in v2.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodePlace } from './place.ts';
import { isUnified } from './requirements.ts';

const root = '/sys/fs/cgroup';
/** The kernel lets go of a cgroup a moment after its last process has ended. */
const goneWithinMs = 10_000;
const pollMs = 20;

/** Makes it, for the kubelet, which wants to find it. */
export function makeCgroups({ cgroup }: NodePlace): void {
  if (isUnified()) {
    writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu +cpuset +memory +pids');
    mkdirSync(join(root, cgroup), { recursive: true });
    return;
  }
  for (const hierarchy of hierarchies()) {
    const path = join(hierarchy, cgroup);
    mkdirSync(path, { recursive: true });
    // In v1 a new cpuset has no cores and no memory, and takes no process.
    for (const name of ['cpuset.cpus', 'cpuset.mems']) {
      if (existsSync(join(path, name))) writeFileSync(join(path, name), readFileSync(join(hierarchy, name)));
    }
  }
}

/** Removes it with all below; no process must be left in it. */
export async function removeCgroups({ cgroup }: NodePlace): Promise<void> {
  const places = isUnified() ? [root] : hierarchies();
  for (const place of places) await removeTree(join(place, cgroup));
}

async function removeTree(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of below) await removeTree(join(path, name));
  for (const deadlineMs = performance.now() + goneWithinMs; ; await delay(pollMs)) {
    try {
      return rmdirSync(path);
    } catch (error) {
      if (Object(error).code !== 'EBUSY' || performance.now() > deadlineMs) throw error;
    }
  }
}

/** Of v1, and beside them the v2 that systemd calls unified. */
function hierarchies(): readonly string[] {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => join(root, name)).filter((path) => existsSync(join(path, 'cgroup.procs')));
}
