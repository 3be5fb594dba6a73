// What metrics say about the installation as a whole.

import type { OperatorFacts } from '../telemetry/metrics.ts';
import type { ProxyReport } from '../status/proxy-report.ts';
import type { Resource } from '../watch/resource.ts';
import type { Sources } from '../watch/sources.ts';
import type { Ledger } from './ledger.ts';

/** Counts objects and proxies. */
export function describeFacts(
  { providers, routes, keys }: Sources,
  { config }: Ledger,
  reports: readonly ProxyReport[],
): OperatorFacts {
  const revision = config?.revision;
  const proxies = { current: 0, refused: 0, behind: 0 };
  for (const report of reports) proxies[stateOf(report, revision ?? 0)] += 1;
  const all: readonly Resource[] = [...providers.list(), ...routes.list(), ...keys.list()];
  const counts = new Map<string, { kind: string; ready: string; count: number }>();
  for (const resource of all) {
    const { kind, conditions } = resource;
    const ready = conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
    const known = counts.get(`${kind} ${ready}`);
    if (known === undefined) counts.set(`${kind} ${ready}`, { kind, ready, count: 1 });
    else known.count += 1;
  }
  return { revision, objects: [...counts.values()], proxies };
}

function stateOf({ revision, refusal }: ProxyReport, wanted: number): keyof OperatorFacts['proxies'] {
  if (revision !== undefined && revision >= wanted) return 'current';
  return refusal?.revision !== undefined && refusal.revision >= wanted ? 'refused' : 'behind';
}
