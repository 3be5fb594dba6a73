#!/usr/bin/env node
// The entry of the data plane alone, for `sluice proxy` and for images that run this file. The only file of the proxy that
// sees the process.

import { readFileSync } from 'node:fs';
import { runProxyCommand } from './command-line/proxy-command.ts';
import type { Environment } from './command-line/options.ts';

/** Runs `sluice proxy` with its arguments until the process is told to end. Returns the exit code. */
export async function runProxy(
  args: readonly string[],
  environment: Environment,
  stop: AbortSignal = stopOnSignals(),
): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  const terminal = { print: (line: string) => console.log(line), warn: (line: string) => console.error(line) };
  return runProxyCommand(args, { version, environment, terminal, stop });
}

function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const [signal, number] of [
    ['SIGTERM', 15],
    ['SIGINT', 2],
  ] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for streams to end.
      if (stop.signal.aborted) process.exit(128 + number);
      stop.abort();
    });
  }
  return stop.signal;
}

if (import.meta.main) {
  // A reader that went away (`… --help | head`) is no reason to fail.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.exit(await runProxy(process.argv.slice(2), process.env));
}
