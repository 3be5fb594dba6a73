// The program as a real process: `node deploy/standalone/main.ts`, or another entry.

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const root = new URL('../../../', import.meta.url).pathname;

/** How to start the program. */
export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The file that is run, from the root of the repository. */
  readonly entry?: string;
}

/** The program while it runs. */
export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
  /** Standard output and standard error so far. */
  out(): string;
  err(): string;
  /** Waits until both together hold what is looked for. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** The exit code once it has ended. */
  readonly ended: Promise<number | string>;
}

/** Starts the program. It is killed with the end of the test. */
export function startProgram(args: readonly string[], options: ProgramOptions = {}): Program {
  const { environment = {}, cwd, entry = 'deploy/standalone/main.ts' } = options;
  const child = spawn(process.execPath, [join(root, entry), ...args], {
    // Nothing else of the test's own environment: a variable of the machine must not decide a test.
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      NO_COLOR: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'gone'));
  });
  return {
    process: child,
    out: () => out,
    err: () => err,
    ended,
    async says(pattern) {
      // A machine that runs much else takes its time to start a program.
      for (let waited = 0; waited < 45_000; waited += 20) {
        const found = pattern.exec(out + err);
        if (found !== null) return found;
        if (child.exitCode !== null) break;
        await delay(20);
      }
      throw new Error(`the program never said ${pattern}; it said:\n${out}${err}`);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs the program to its end. */
export async function runProgram(
  args: readonly string[],
  options?: ProgramOptions,
): Promise<{ readonly code: number | string; readonly out: string; readonly err: string }> {
  await using program = startProgram(args, options);
  const code = await program.ended;
  return { code, out: program.out(), err: program.err() };
}

/** Ports of loopback that nothing listens on, one after the other, outside the range from which clients get theirs. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`there are no ${count} free ports in a row`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
