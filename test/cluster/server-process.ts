// A server of the control plane as a process of its own group, with its output in a file. However the process that
// started it ends, the server ends too.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { findOnPath } from './path.ts';

const logTailLines = 25;

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** What to run. */
export interface ServerCommand {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly logFile: string;
}

/** A running server. */
export class ServerProcess {
  readonly pid: number;
  readonly #command: ServerCommand;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;

  private constructor(command: ServerCommand, child: ChildProcess) {
    this.#command = command;
    this.#child = child;
    this.#exit = once(child, 'exit').finally(() => running.delete(child));
    this.pid = child.pid ?? 0;
  }

  /** Starts it; the output is appended to the log file. */
  static async start(command: ServerCommand): Promise<ServerProcess> {
    const log = openSync(command.logFile, 'a');
    // The kernel ends the server when this thread dies, by whatever signal; elsewhere than on Linux the exit hook must do.
    const setpriv = process.platform === 'linux' ? findOnPath('setpriv') : undefined;
    const [path, ...args] =
      setpriv === undefined
        ? ([command.path, ...command.args] as const)
        : ([setpriv, '--pdeathsig', 'KILL', '--', command.path, ...command.args] as const);
    try {
      // In a group of its own, so that Ctrl-C in a terminal does not hit it before its clients.
      const child = spawn(path, args, { stdio: ['ignore', log, log], detached: true });
      await once(child, 'spawn');
      running.add(child);
      return new ServerProcess(command, child);
    } finally {
      closeSync(log);
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Throws, with the end of the log, if the server has ended. */
  assertRunning(): void {
    if (this.isRunning) return;
    const verdict = this.#child.signalCode ?? `code ${this.#child.exitCode}`;
    throw new Error(`${this.#command.name} ended (${verdict}); the end of its log:\n${this.logTail()}`);
  }

  /** The last lines that it wrote. */
  logTail(): string {
    return readFileSync(this.#command.logFile, 'utf8').trimEnd().split('\n').slice(-logTailLines).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and insists after a while. */
  async stop(graceMs: number): Promise<void> {
    if (!this.isRunning) return;
    this.signal('SIGTERM');
    // One that is frozen would never see it.
    this.signal('SIGCONT');
    const patience = new AbortController();
    await Promise.race([this.#exit, delay(graceMs, undefined, { signal: patience.signal }).catch(() => {})]);
    patience.abort();
    await this.kill();
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.signal('SIGKILL');
    await this.#exit;
  }
}
