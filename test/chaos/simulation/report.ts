// Many runs in a few lines.

import type { Run } from './simulation.ts';

/** Of broken runs so many are told. */
const toldMax = 12;

/** What came of runs. */
export function summarize(
  runs: readonly Run[],
  tookMs: number,
): { readonly lines: readonly string[]; readonly broken: number } {
  const broken = runs.filter(({ breaches }) => breaches.length > 0).sort((one, other) => one.seed - other.seed);
  const counts = new Map<string, number>();
  let events = 0;
  let cpuMs = 0;
  for (const run of runs) {
    events += run.events;
    cpuMs += run.cpuMs;
    for (const [what, count] of run.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  const invariants = new Map<string, number>();
  for (const { breaches } of broken) {
    for (const invariant of new Set(breaches.map((breach) => breach.invariant))) {
      invariants.set(invariant, (invariants.get(invariant) ?? 0) + 1);
    }
  }
  const told = broken.slice(0, toldMax).map(({ seed, breaches: [first] }) => {
    return `  seed ${seed}: ${first?.invariant} at ${((first?.atMs ?? 0) / 1000).toFixed(3)} s: ${first?.text}`;
  });
  const sorted = [...counts].sort(([one], [other]) => one.localeCompare(other));
  const digest = runs.length === 1 ? `, digest ${runs[0]?.digest}` : '';
  const pace =
    tookMs > 0 ? ` in ${(tookMs / 1000).toFixed(1)} s, ${((runs.length / tookMs) * 1000).toFixed(0)} a second` : '';
  return {
    broken: broken.length,
    lines: [
      `${runs.length} seeds${pace}, ${(cpuMs / runs.length).toFixed(0)} ms of CPU each, ${events} events${digest}`,
      `  ${sorted.map(([what, count]) => `${what} ${count}`).join(', ')}`,
      `${broken.length} seeds broke an invariant${[...invariants].map(([name, count]) => ` ${name} (${count})`).join('')}`,
      ...told,
    ],
  };
}
