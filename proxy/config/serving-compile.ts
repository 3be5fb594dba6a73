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

/** Whether anything is said of the models of any backend of a rule; found out when it is first asked for. */
export function compileDeclared(ofRule: () => Rule): Rule['declaresModels'] {
  let known: boolean | undefined;
  return () => (known ??= !everyBackend(ofRule(), new Set(), isUndeclared));
}

function isUndeclared({ modelConfig }: Backend): boolean {
  return modelConfig?.capabilities === undefined && modelConfig?.maxContextTokens === undefined;
}

function restrict(rule: Rule, protocol: ProtocolId): Rule {
  if (everyBackend(rule, new Set(), (backend) => serves(backend, protocol))) return rule;
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
function everyBackend(rule: Rule, seen: Set<Route>, holds: (backend: Backend) => boolean): boolean {
  const candidates = rule.tiers.flatMap((tier) => tier.candidates);
  const fallbacks = [...(rule.fallbacks?.values() ?? []), ...(rule.fallback === undefined ? [] : [rule.fallback])];
  return [...candidates, ...fallbacks].every((candidate) => {
    if (candidate.kind === 'backend') return holds(candidate);
    if (seen.has(candidate.route)) return true;
    seen.add(candidate.route);
    return candidate.route.rules.every((inner) => everyBackend(inner, seen, holds));
  });
}
