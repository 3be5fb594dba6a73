// A server inside a node: unlike those of the control plane on loopback it outlives the process that starts it, and ends
// with the node.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type Holder, inside } from './namespaces.ts';

const logTailLines = 25;

/** A server that was started. */
export interface Daemon {
  readonly name: string;
  /** Throws, with the end of the log, if it has ended. */
  assertRunning(): void;
}

/** Starts it; its output is appended to the log file. */
export async function startDaemon(
  holder: Holder,
  { name, command, logFile }: { readonly name: string; readonly command: readonly string[]; readonly logFile: string },
): Promise<Daemon> {
  const log = openSync(logFile, 'a');
  try {
    const [program = '', ...args] = inside(holder, command);
    const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true, cwd: '/' });
    await once(child, 'spawn');
    child.unref();
    return { name, assertRunning: () => assertRunning(child, name, logFile) };
  } finally {
    closeSync(log);
  }
}

function assertRunning(child: ChildProcess, name: string, logFile: string): void {
  if (child.exitCode === null && child.signalCode === null) return;
  const end = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-logTailLines).join('\n');
  throw new Error(`${name} ended (${child.signalCode ?? `code ${child.exitCode}`}); the end of its log:\n${end}`);
}
