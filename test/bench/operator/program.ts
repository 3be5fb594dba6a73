// A program under measurement: a process whose lines are waited for, and whose CPU time and memory are read. It ends with
// the benchmark, however that ends (test/cluster/server-process.ts).

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../../cluster/server-process.ts';

/** How to start one. */
export interface ProgramCommand {
  readonly name: string;
  /** The file that node runs, from the root of the repository. */
  readonly entry: string;
  readonly args: readonly string[];
  /** Where its output goes. */
  readonly folder: string;
  /** Arguments of node itself. */
  readonly nodeArgs?: readonly string[];
}

/** Memory in bytes: now, and the most that there ever was. */
export interface Memory {
  readonly resident: number;
  readonly peak: number;
}

/** A running program. */
export interface Program {
  readonly name: string;
  readonly pid: number;
  /** Everything that it wrote so far. */
  output(): Promise<string>;
  /** Waits for a line, and throws if the program ends before. */
  says(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  memory(): Promise<Memory>;
  /** Asks it to end, and waits for that. */
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pollMs = 20;
/** A gateway that is asked to end lets streams end first. */
const graceMs = 15_000;

/** Starts `node ENTRY ARGS…`. */
export async function startProgram({ name, entry, args, folder, nodeArgs = [] }: ProgramCommand): Promise<Program> {
  const logFile = join(folder, `${name}.log`);
  const command = { name, path: process.execPath, args: [...nodeArgs, join(root, entry), ...args], logFile };
  const server = await ServerProcess.start(command);
  const output = (): Promise<string> => readFile(logFile, 'utf8');
  return {
    name,
    pid: server.pid,
    output,
    async says(pattern, withinMs = 30_000) {
      const deadlineMs = performance.now() + withinMs;
      for (;;) {
        const found = pattern.exec(await output());
        if (found !== null) return found;
        server.assertRunning();
        if (performance.now() > deadlineMs) throw new Error(`${name} never said ${pattern}:\n${server.logTail()}`);
        await delay(pollMs);
      }
    },
    memory: () => readMemory(server.pid),
    stop: () => server.stop(graceMs),
  };
}

async function readMemory(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { resident: kilobytes('VmRSS') * 1024, peak: kilobytes('VmHWM') * 1024 };
}
