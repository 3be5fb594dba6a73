// Leaves out of a rule what cannot serve a protocol, so that plans need not ask of each request.

import type { ProtocolId } from '../protocols/protocol.ts';
import type { Backend, Candidate, Route, Rule } from './snapshot.ts';

/** What a rule is for each protocol, found out when it is first asked for: by then references lead somewhere. */
export function compileServing(ofRule: () => Rule): Rule['serving'] {
  const known = new Map<ProtocolId, Rule>();
  return (protocol) => {
    let rule = known.get(protocol);
    if (rule === undefined) known.set(protocol, (rule = restrict(ofRule(), protocol)));
    return rule;
  };
}

/** Whether anything holds for a rule or one that it may lead to; found out when it is first asked for. */
export function compileAnywhere(ofRule: () => Rule, holds: (rule: Rule) => boolean): () => boolean {
  let known: boolean | undefined;
  return () => (known ??= anyRule(ofRule(), new Set(), holds));
}

function restrict(rule: Rule, protocol: ProtocolId): Rule {
  if (everyBackend(rule, (backend) => serves(backend, protocol))) return rule;
  const { excludes } = rule;
  return {
    ...rule,
    tiers: rule.tiers
      .map((tier) => ({ ...tier, candidates: tier.candidates.filter((candidate) => mayServe(candidate, protocol)) }))
      .filter(({ candidates }) => candidates.length > 0),
    // What is required here is required behind references too.
    excludes: (backend) =>
      excludes?.(backend) ?? (serves(backend, protocol) ? undefined : `its provider cannot serve ${protocol}`),
  };
}

/** Whether the model that a client may name serves depends on more than that; most vendors do not look at it. */
function serves({ lanes, upstreamModel }: Backend, protocol: ProtocolId): boolean {
  return lanes.of(protocol, upstreamModel) !== undefined;
}

function mayServe(candidate: Candidate, protocol: ProtocolId): boolean {
  return candidate.kind === 'route' || serves(candidate, protocol);
}

/** `seen` are routes that have been looked into: references may meet again. */
function anyRule(rule: Rule, seen: Set<Route>, holds: (rule: Rule) => boolean): boolean {
  if (holds(rule)) return true;
  return candidatesOf(rule).some((candidate) => {
    if (candidate.kind === 'backend' || seen.has(candidate.route)) return false;
    seen.add(candidate.route);
    return candidate.route.rules.some((inner) => anyRule(inner, seen, holds));
  });
}

function everyBackend(rule: Rule, holds: (backend: Backend) => boolean): boolean {
  const isUnlike = (candidate: Candidate): boolean => candidate.kind === 'backend' && !holds(candidate);
  return !anyRule(rule, new Set(), (inner) => candidatesOf(inner).some(isUnlike));
}

/** All that a rule leads to. */
function candidatesOf({ tiers, fallback, fallbacks }: Rule): readonly Candidate[] {
  const others = [...(fallbacks?.values() ?? []), ...(fallback === undefined ? [] : [fallback])];
  return [...tiers.flatMap(({ candidates }) => candidates), ...others];
}
