// `npm run simulate`: runs seeds, on all cores, and says what broke. `--seed N --trace` tells one run in words.

import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { summarize } from './report.ts';
import { type Run, simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});

if (values.seed !== undefined) {
  const run = await simulate(Number(values.seed), { trace: values.trace });
  for (const line of run.lines) process.stdout.write(`${line}\n`);
  process.exitCode = say([run], 0);
} else {
  const first = Number(values.from);
  const count = Number(values.seeds);
  const workers = Math.max(1, Math.min(Number(values.workers), count));
  const begunMs = performance.now();
  const parts = await Promise.all(Array.from({ length: workers }, (_, worker) => part(worker, workers, first, count)));
  process.exitCode = say(parts.flat(), performance.now() - begunMs);
}

/** Every so many-th seed, in a process of its own; the first worker is this one. */
async function part(worker: number, workers: number, first: number, count: number): Promise<Run[]> {
  const seeds: number[] = [];
  for (let seed = first + worker; seed < first + count; seed += workers) seeds.push(seed);
  if (worker === 0) return runAll(seeds);
  const child = fork(fileURLToPath(new URL('worker/main.ts', import.meta.url)), { serialization: 'advanced' });
  return new Promise((resolve, reject) => {
    child.on('message', (runs) => resolve(runs as Run[]));
    child.on('exit', (code) => reject(new Error(`a worker ended with ${code}`)));
    child.send(seeds);
  });
}

async function runAll(seeds: readonly number[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (const seed of seeds) runs.push(await simulate(seed));
  return runs;
}

function say(runs: readonly Run[], tookMs: number): number {
  const { lines, broken } = summarize(runs, tookMs);
  for (const line of lines) process.stdout.write(`${line}\n`);
  return broken === 0 ? 0 : 1;
}
