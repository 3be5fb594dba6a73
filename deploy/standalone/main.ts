#!/usr/bin/env node
// The program `sluice`: the only place here that sees the process.

import { readFileSync } from 'node:fs';
import { runCommandLine } from './command-line.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};
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

// A reader that went away (`sluice check … | head`) is no reason to fail.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const code = await runCommandLine(process.argv.slice(2), {
  version,
  environment: process.env,
  terminal: { print: (line) => console.log(line), warn: (line) => console.error(line) },
  now: () => Date.now(),
  stop: stop.signal,
});
process.exit(code);
