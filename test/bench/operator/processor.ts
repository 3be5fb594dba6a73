// CPU time of programs.

import { cpuSeconds } from '../processes.ts';
import type { Program } from './program.ts';

/** CPU seconds that each has used so far, by its name. */
export async function processorSeconds(programs: readonly Program[]): Promise<ReadonlyMap<string, number>> {
  const entries = programs.map(async ({ name, pid }) => [name, await cpuSeconds([pid])] as const);
  return new Map(await Promise.all(entries));
}
