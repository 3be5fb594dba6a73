// Programs of the machine that do one thing and end.

import { execFile } from 'node:child_process';

const outputBytesMax = 64 * 1024 * 1024;
const errorLinesMax = 20;

/** What a run may be given. */
export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

/** Runs a program and gives what it printed; rejects with the end of what it said if it fails. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input = '', ...rest } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { ...rest, maxBuffer: outputBytesMax }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = `${stdout}${stderr}`.trimEnd().split('\n').slice(-errorLinesMax).join('\n  ');
      const verdict = error.signal ?? error.code ?? 'unknown';
      const command = [program, ...args.map((arg) => (arg.includes('\n') ? '…' : arg))].join(' ');
      reject(new Error(`${command} (${verdict}):\n  ${said}`, { cause: error }));
    });
    // One that ends without reading its input is no error of ours.
    child.stdin?.on('error', () => {}).end(input);
  });
}
