// Runs the seeds that it is sent, and sends back what came of them.

import { type Run, simulate } from '../simulation.ts';

process.once('message', (seeds) => {
  void runAll(seeds as readonly number[]).then((runs) =>
    process.send?.(runs, undefined, {}, () => process.disconnect?.()),
  );
});

async function runAll(seeds: readonly number[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (const seed of seeds) runs.push(await simulate(seed));
  return runs;
}
