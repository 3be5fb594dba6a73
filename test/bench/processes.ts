// Processes of the benchmark: started on a core of their own, asked for the CPU time and memory that they used.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { LoadPlan, LoadResult } from './load.ts';

/** Kernel ticks a second: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** A running process. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Whatever ends the benchmark must not leave its programs behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program on one core. */
export function start(core: number, command: string, args: readonly string[]): Running {
  const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${command}`);
  running.add(child);
  return {
    child,
    pid,
    async stop() {
      if (child.exitCode !== null) return;
      running.delete(child);
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Waits for a line of output that the pattern matches, and goes on reading what follows. */
export async function lineOf({ child }: Running, pattern: RegExp): Promise<RegExpExecArray> {
  if (child.stdout === null) throw new Error('no output');
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const found = pattern.exec(line);
      if (found !== null) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${code} before it said ${pattern}`)));
  });
}

/** CPU seconds that processes have used so far, their own and the kernel's for them. */
export async function cpuSeconds(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name before may hold spaces; the fields after its closing bracket do not. utime and stime: proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}

/** Resident memory in bytes. */
export async function residentBytes(pids: readonly number[]): Promise<number> {
  let kilobytes = 0;
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    kilobytes += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

/** Runs one measurement in a process of its own. */
export async function load(core: number, plan: LoadPlan): Promise<LoadResult> {
  const measuring = start(core, process.execPath, [new URL('load.ts', import.meta.url).pathname, JSON.stringify(plan)]);
  const [line] = await lineOf(measuring, /^\{.*\}$/);
  return JSON.parse(line) as LoadResult;
}
