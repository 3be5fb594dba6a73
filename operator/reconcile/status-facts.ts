// Gathers what the status of one object is decided from: the ledger, the proxies' answers, and the object itself.

import { z } from 'zod';
import { conditionSchema } from '../../crds/conditions.ts';

import type { Condition, KeyFacts, ObjectFacts, ProviderFacts, RouteFacts } from '../status/facts.ts';
import type { DisabledTarget, ProxyReport } from '../status/proxy-report.ts';
import type { Resource } from '../watch/resource.ts';
import type { Sources } from '../watch/sources.ts';
import { keyOf, type Ledger } from './ledger.ts';
import type { Pools } from './pools.ts';

/** Where the facts come from. */
export interface StatusSources {
  readonly sources: Sources;
  readonly ledger: Ledger;
  readonly pools: Pools;
  readonly reports: () => readonly ProxyReport[];
  /** Why the Secret of a generated key could not be made, by id of the key. */
  readonly generationProblems: ReadonlyMap<string, string>;
  /** RFC 3339, in whole seconds. */
  readonly now: () => string;
}

const previousSchema = z.looseObject({ conditions: z.array(conditionSchema).optional() });

/** Facts about any object. */
function toObjectFacts(resource: Resource, { ledger, reports, now }: StatusSources): ObjectFacts {
  const key = keyOf(resource);
  return {
    id: `${resource.namespace}/${resource.name}`,
    generation: resource.generation,
    previous: previousConditions(resource),
    diagnostics: ledger.diagnosticsOf(key),
    publication: ledger.publicationOf(key),
    proxies: reports(),
    now: now(),
  };
}

/** What others have put there in another form is as good as nothing: it is written anew. */
export function previousConditions({ status }: Resource): readonly Condition[] {
  return (previousSchema.safeParse(status).data?.conditions ?? []) as readonly Condition[];
}

/** Facts about a provider. One that does not parse says nothing of its credentials, and has no pool. */
export function toProviderFacts(resource: Resource<'LLMProvider'>, around: StatusSources): ProviderFacts {
  const { parsed, namespace, name } = resource;
  const refused = new Set(hardDisabledKeys(around.reports()));
  const { total, provided } = around.pools.of(`${namespace}/${name}`);
  return {
    ...toObjectFacts(resource, around),
    credentials: parsed.ok ? parsed.resource.spec.credentials.type : 'KeyPool',
    keys: { total: total.length, usable: provided.filter((id) => !refused.has(id)).length },
  };
}

function hardDisabledKeys(reports: readonly ProxyReport[]): readonly string[] {
  const disabled = reports.flatMap((report) => report.disabled);
  return disabled.filter(({ kind, hard }) => kind === 'key' && hard).map(({ id }) => id);
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
    disabled: disabledBackends(id, around.reports()),
    models: parsed.ok ? (parsed.resource.spec.models ?? []).map(toModelName) : [],
    strategies: [...new Set(rules.map(({ strategy }) => strategy))],
  };
}

function toModelName({ name, type }: { readonly name: string; readonly type: string }): string {
  return type === 'Prefix' ? `${name}*` : name;
}

/** What any proxy has disabled: without shared state each knows only what it has seen. The latest return counts. */
function disabledBackends(routeId: string, reports: readonly ProxyReport[]): ReadonlyMap<string, DisabledTarget> {
  const found = new Map<string, DisabledTarget>();
  for (const target of reports.flatMap(({ disabled }) => disabled)) {
    if (target.kind !== 'backend' || !target.id.startsWith(`${routeId}/`)) continue;
    const name = target.id.slice(routeId.length + 1);
    found.set(name, later(found.get(name), target));
  }
  return found;
}

function later(one: DisabledTarget | undefined, other: DisabledTarget): DisabledTarget {
  if (one === undefined) return other;
  if (one.hard !== other.hard) return one.hard ? one : other;
  if (one.until === undefined || other.until === undefined) return one.until === undefined ? one : other;
  return one.until >= other.until ? one : other;
}

/** Facts about a key. */
export function toKeyFacts(resource: Resource<'LLMKey'>, around: StatusSources): KeyFacts {
  const { parsed, namespace, name } = resource;
  const id = `${namespace}/${name}`;
  const spec = parsed.ok ? parsed.resource.spec : undefined;
  const { generate } = spec?.client ?? {};
  const secretName = spec?.secretRef?.name ?? generate?.secretName;
  const targets = around.reports().flatMap(({ disabled }) => disabled);
  return {
    ...toObjectFacts(resource, around),
    type: spec?.type ?? 'Client',
    tenant: spec?.client === undefined ? undefined : (spec.client.tenant ?? namespace),
    secretName,
    lastRotationTime:
      generate && around.sources.secrets.get(`${namespace}/${generate.secretName}`)?.annotations[madeAt],
    disabled: targets
      .filter((target) => target.kind === 'key' && target.id === id)
      .reduce<DisabledTarget | undefined>(later, undefined),
    exhaustedBudgets: [],
    generationProblem: around.generationProblems.get(id),
  };
}

/** When the present key was made: an annotation of a generated Secret. */
const madeAt = 'sluice.dev/made-at';
