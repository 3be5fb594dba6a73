// Temporary folders that say whose they are, so that what a process left behind when it was killed is cleared away by the
// next that comes.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'sluice-control-plane-';
const made = new Set<string>();
process.on('exit', () => made.forEach(removeFolder));

/** Makes a folder of this process; it is removed at the latest when the process ends. */
export function makeFolder(): string {
  clearAbandoned();
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  made.add(folder);
  return folder;
}

/** Removes it with everything in it. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  made.delete(folder);
}

/** Removes the folders of processes that are no more. */
export function clearAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = name.startsWith(prefix) ? (/^(\d+)-/.exec(name.slice(prefix.length)) ?? []) : [];
    if (pid !== undefined && !isAlive(Number(pid))) removeFolder(join(tmpdir(), name));
  }
}

/** Whether there is a process with that number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return Object(error).code === 'EPERM';
  }
}
