// Writes the status of one object, if it is not that already: decided from the ledger and the proxies' answers, applied on
// server side, with an Event for what a person acts on.

import type { Kind } from '../../crds/group.ts';
import type { Acks } from '../acks/acks.ts';
import { NotLeading } from '../apply/publisher.ts';
import type { Clock } from '../clock.ts';
import type { EventRecorder } from '../events/recorder.ts';
import { applyPatch, fieldManager, type KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/kube-error.ts';
import { apiVersionOf, type KubeObject, objectPath } from '../kube/object.ts';
import { decideKeyStatus, type KeyStatus } from '../status/key-status.ts';
import { decideProviderStatus, type ProviderStatus } from '../status/provider-status.ts';
import { decideRouteStatus, type RouteStatus } from '../status/route-status.ts';
import type { ProxyReport } from '../status/proxy-report.ts';
import { sameStatus } from '../status/same-status.ts';
import { findTransitions } from '../status/transitions.ts';
import type { Cache } from '../watch/cache.ts';
import { resourceTypes } from '../kube/kinds.ts';
import type { Resource } from '../watch/resource.ts';
import { keyOf, splitKey } from './ledger.ts';
import { type StatusSources, toKeyFacts, toProviderFacts, toRouteFacts } from './status-facts.ts';

/** What the reconciler needs besides the facts. */
export interface StatusOptions extends Omit<StatusSources, 'floor'> {
  readonly acks: Pick<Acks, 'asked'>;
  readonly client: KubeClient;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly mayWrite: () => boolean;
  readonly clock: Clock;
  /** How long ago the present revision was published. */
  readonly publishedAgoMs: () => number;
}

/** Proxies take a moment to follow. Within it nothing is said, so that an edit that goes well is one write and no flicker. */
const followMs = 500;

/** What changes by itself every few seconds (backends that are out) is written no more often than this. */
const summaryMs = 3_000;

type Status = ProviderStatus | RouteStatus | KeyStatus;

/** Statuses of all objects. */
export interface StatusReconciler {
  /** Keys are `Kind namespace/name`. */
  readonly reconcile: (key: string) => Promise<{ readonly requeueAfterMs?: number }>;
  /** Whether an object has another status than it should have. Most of thousands have not, and need no place in a queue. */
  readonly isDue: (resource: Resource) => boolean;
}

/** Makes it. */
export function createStatusReconciler(options: StatusOptions): StatusReconciler {
  const { ledger, clock, mayWrite, acks } = options;
  let floor: number | undefined;
  const facts: StatusSources = { ...options, floor: () => (floor ??= lowestServed(options.reports())) };
  /** When the status of an object was last written, by its uid. */
  const writtenMs = new Map<string, number>();
  /** The status that an object should have; undefined if it has that, or if it is too early to say. */
  const findNew = (resource: Resource): Status | undefined => {
    // A form that has not been compiled yet has nothing to say; its compilation is on its way.
    if (ledger.generationOf(keyOf(resource)) !== resource.generation) return undefined;
    // Proxies that have only not been asked yet must not turn every object over. Whoever asks them looks here again.
    if (!acks.asked()) return undefined;
    const status = decide(resource, facts);
    return sameStatus(resource.status, status) ? undefined : status;
  };
  const reconcile: StatusReconciler['reconcile'] = async (key) => {
    const resource = find(key, options);
    if (resource === undefined) return {};
    const status = findNew(resource);
    if (status === undefined) return {};
    const waitMs = followMs - options.publishedAgoMs();
    const isPublished = ledger.publicationOf(keyOf(resource)).type === 'published';
    if (waitMs > 0 && isPublished && isFollowing(status)) return { requeueAfterMs: waitMs };
    const sinceMs = clock.monotonic() - (writtenMs.get(resource.uid) ?? Number.NEGATIVE_INFINITY);
    const calm = sameConditions(resource.conditions, status.conditions ?? []);
    if (calm && sinceMs < summaryMs) return { requeueAfterMs: summaryMs - sinceMs };
    if (!mayWrite()) throw new NotLeading('this replica does not lead');
    if (writtenMs.size > writtenMax) writtenMs.clear();
    writtenMs.set(resource.uid, clock.monotonic());
    await write(resource, status, options);
    return {};
  };
  return { reconcile, isDue: (resource) => findNew(resource) !== undefined };
}

function lowestServed(reports: readonly ProxyReport[]): number {
  return Math.min(...reports.map(({ revision }) => revision ?? Number.POSITIVE_INFINITY));
}

/** Objects come and go; forgetting all of them costs one write each. */
const writtenMax = 100_000;

function find(key: string, { sources }: StatusOptions): Resource | undefined {
  const named = splitKey(key);
  return named && cacheOf(named.kind, sources).get(named.id);
}

function cacheOf(kind: Kind, { providers, routes, keys }: StatusOptions['sources']): Cache<Resource> {
  switch (kind) {
    case 'LLMProvider':
      return providers;
    case 'LLMRoute':
      return routes;
    case 'LLMKey':
      return keys;
  }
}

function decide(resource: Resource, facts: StatusSources): Status {
  switch (resource.kind) {
    case 'LLMProvider':
      return decideProviderStatus(toProviderFacts(resource as Resource<'LLMProvider'>, facts));
    case 'LLMRoute':
      return decideRouteStatus(toRouteFacts(resource as Resource<'LLMRoute'>, facts));
    case 'LLMKey':
      return decideKeyStatus(toKeyFacts(resource as Resource<'LLMKey'>, facts));
  }
}

/** Whether it is not known yet if proxies have it. */
function isFollowing({ conditions = [] }: Status): boolean {
  return conditions.some(({ type, status }) => type === 'Programmed' && status === 'Unknown');
}

function sameConditions(previous: readonly unknown[], next: readonly unknown[]): boolean {
  return sameStatus({ conditions: previous }, { conditions: next });
}

async function write(resource: Resource, status: Status, { client, events, sources }: StatusOptions): Promise<void> {
  const { kind, namespace, name, uid, resourceVersion } = resource;
  const type = resourceTypes[kind];
  const apiVersion = apiVersionOf(type);
  try {
    const applied = await client.call<KubeObject>({
      method: 'PATCH',
      path: objectPath(type, { namespace, name }, 'status'),
      query: { fieldManager, force: true },
      contentType: applyPatch,
      // The uid: an object that was made anew under the same name is another one, whose status this is not. The version:
      // a write may arrive long after it was sent, and must not put an old status in the place of another leader's.
      body: { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion }, status },
    });
    cacheOf(kind, sources).learn(applied);
  } catch (error) {
    // Gone meanwhile.
    if (isKubeError(error, 'NotFound')) return;
    throw error;
  }
  for (const transition of findTransitions(resource.conditions, status.conditions ?? [])) {
    events.record({ ...transition, regarding: { apiVersion, kind, namespace, name, uid } });
  }
}
