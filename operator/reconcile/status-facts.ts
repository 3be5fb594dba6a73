// Gathers what the status of one object is decided from: the ledger, the proxies' answers, and the object itself.

import { llmKeyStatusSchema } from '../../crds/llm-key.ts';
import { generatedAnnotations, isMadeFor } from '../compile/generated-key.ts';
import type { KeyFacts, ObjectFacts, ProviderFacts, Publication, RouteFacts } from '../status/facts.ts';
import type { ProxyReport } from '../status/proxy-report.ts';
import type { Resource } from '../watch/resource.ts';
import type { Sources } from '../watch/sources.ts';
import type { DisabledTargets } from './disabled-targets.ts';
import { keyOf, type Ledger } from './ledger.ts';
import type { Pools } from './pools.ts';

/** Where the facts come from. */
export interface StatusSources {
  readonly sources: Sources;
  readonly ledger: Ledger;
  readonly pools: Pools;
  readonly reports: () => readonly ProxyReport[];
  /** What those reports say is disabled. */
  readonly disabled: () => DisabledTargets;
  /** Why the Secret of a generated key could not be made, by id of the key. */
  readonly generationProblems: ReadonlyMap<string, string>;
  /** The lowest revision that a proxy served when this process asked them first. */
  readonly floor: () => number;
  /** RFC 3339, in whole seconds. */
  readonly now: () => string;
}

const lastRotationSchema = llmKeyStatusSchema.shape.lastRotationTime;

/** Facts about any object. */
function toObjectFacts(resource: Resource, around: StatusSources): ObjectFacts {
  const { ledger, reports, now } = around;
  return {
    id: `${resource.namespace}/${resource.name}`,
    generation: resource.generation,
    previous: resource.conditions,
    diagnostics: ledger.diagnosticsOf(keyOf(resource)),
    publication: publicationOf(resource, around),
    proxies: reports(),
    now: now(),
  };
}

/**
 * Since when the object is published. A process that has taken over does not know, but the one before it did: what that
 * called programmed was so in the revisions that proxies served then. Otherwise a revision that they refuse because of one
 * object would be held against all others as soon as the leader changes.
 */
function publicationOf(resource: Resource, { ledger, floor }: StatusSources): Publication {
  const publication = ledger.publicationOf(keyOf(resource));
  if (publication.type !== 'published' || publication.since !== ledger.adopted) return publication;
  const wasProgrammed = resource.conditions.some(
    ({ type, status, observedGeneration }) =>
      type === 'Programmed' && status === 'True' && observedGeneration === resource.generation,
  );
  return wasProgrammed ? { type: 'published', since: Math.min(publication.since, floor()) } : publication;
}

/** Facts about a provider. One that does not parse says nothing of its credentials, and has no pool. */
export function toProviderFacts(resource: Resource<'LLMProvider'>, around: StatusSources): ProviderFacts {
  const { parsed, namespace, name } = resource;
  const disabled = around.disabled();
  const { total, provided } = around.pools.of(`${namespace}/${name}`);
  return {
    ...toObjectFacts(resource, around),
    credentials: parsed.ok ? parsed.resource.spec.credentials.type : 'KeyPool',
    keys: { total: total.length, usable: provided.filter((id) => disabled.key(id)?.hard !== true).length },
  };
}

/** Facts about a route. */
export function toRouteFacts(resource: Resource<'LLMRoute'>, around: StatusSources): RouteFacts {
  const { parsed, namespace, name } = resource;
  const id = `${namespace}/${name}`;
  const rules = parsed.ok ? parsed.resource.spec.rules : [];
  const served = around.pools.servedBackends(id);
  return {
    ...toObjectFacts(resource, around),
    backends: [...new Set(rules.flatMap(({ backends }) => backends.map((backend) => backend.name)))],
    served,
    disabled: around.disabled().backendsOf(id),
    models: parsed.ok ? (parsed.resource.spec.models ?? []).map(toModelName) : [],
    strategies: [...new Set(rules.map(({ strategy }) => strategy))],
  };
}

function toModelName({ name, type }: { readonly name: string; readonly type: string }): string {
  return type === 'Prefix' ? `${name}*` : name;
}

/** Facts about a key. */
export function toKeyFacts(resource: Resource<'LLMKey'>, around: StatusSources): KeyFacts {
  const { parsed, namespace, name } = resource;
  const id = `${namespace}/${name}`;
  const spec = parsed.ok ? parsed.resource.spec : undefined;
  const { generate } = spec?.client ?? {};
  const secretName = spec?.secretRef?.name ?? generate?.secretName;
  return {
    ...toObjectFacts(resource, around),
    type: spec?.type ?? 'Client',
    tenant: tenantOf(resource, around.ledger),
    secretName,
    lastRotationTime: generate && rotatedAt(resource, generate.secretName, around.sources),
    disabled: around.disabled().key(id),
    exhaustedBudgets: [],
    // A key that cannot be renewed goes on working; the log says so, again and again.
    generationProblem: around.pools.knowsClient(id) ? undefined : around.generationProblems.get(id),
  };
}

/** When the present key was made, if the Secret is the one that was made for it, and says so in a form that stands in a status. */
function rotatedAt({ namespace, uid }: Resource, secretName: string, { secrets }: Sources): string | undefined {
  const secret = secrets.get(`${namespace}/${secretName}`);
  if (secret === undefined || !isMadeFor(secret, uid)) return undefined;
  return lastRotationSchema.safeParse(secret.annotations[generatedAnnotations.madeAt]).data;
}

/** The tenant that a client key proves: not one that its namespace may not have. */
function tenantOf(resource: Resource<'LLMKey'>, ledger: Ledger): string | undefined {
  const { parsed, namespace } = resource;
  const client = parsed.ok ? parsed.resource.spec.client : undefined;
  if (client === undefined) return undefined;
  const refused = ledger.diagnosticsOf(keyOf(resource)).some(({ field }) => field === 'spec.client.tenant');
  return refused ? undefined : (client.tenant ?? namespace);
}
