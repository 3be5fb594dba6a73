// What metrics say about the installation as a whole, in the replica that leads and in those that wait.

import { kinds } from '../../crds/group.ts';
import { indexName } from '../../proxy/config/schema.ts';
import type { Acks } from '../acks/acks.ts';
import { parseIndex } from '../apply/read-back.ts';
import type { ProxyReport } from '../status/proxy-report.ts';
import type { OperatorFacts } from '../telemetry/metrics.ts';
import type { Resource } from '../watch/resource.ts';
import type { Sources } from '../watch/sources.ts';

const readyStatuses = ['True', 'False', 'Unknown'] as const;

/** Counts objects and proxies. */
export function describeFacts(sources: Sources, acks: Pick<Acks, 'asked' | 'reports'>): OperatorFacts {
  const revision = publishedRevision(sources);
  const proxies = { current: 0, refused: 0, behind: 0 };
  // A replica that does not lead asks nobody, and has nothing to say of them.
  if (acks.asked()) for (const report of acks.reports()) proxies[stateOf(report, revision ?? 0)] += 1;
  return { revision, objects: countObjects(sources), proxies };
}

/** Whoever published it. */
function publishedRevision({ outputs }: Sources): number | undefined {
  for (const { data } of outputs.list()) {
    const index = parseIndex(data[indexName]);
    if (index !== undefined) return index.revision;
  }
  return undefined;
}

/** Also those of which there are none. */
function countObjects({ providers, routes, keys }: Sources): OperatorFacts['objects'] {
  const all: readonly Resource[] = [...providers.list(), ...routes.list(), ...keys.list()];
  const counts = kinds.flatMap((kind) => readyStatuses.map((ready) => ({ kind, ready, count: 0 })));
  const byName = new Map(counts.map((entry) => [`${entry.kind} ${entry.ready}`, entry]));
  for (const { kind, conditions } of all) {
    const ready = conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
    const entry = byName.get(`${kind} ${ready}`);
    if (entry !== undefined) entry.count += 1;
  }
  return counts;
}

function stateOf({ revision, refusal }: ProxyReport, wanted: number): keyof OperatorFacts['proxies'] {
  if (revision !== undefined && revision >= wanted) return 'current';
  return refusal?.revision !== undefined && refusal.revision >= wanted ? 'refused' : 'behind';
}
