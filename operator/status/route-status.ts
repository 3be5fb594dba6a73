// The whole status of an LLMRoute.

import type { LLMRoute } from '../../crds/llm-route.ts';
import { failoverClasses } from '../../crds/route-failover.ts';
import { joinBounded } from './bounded-text.ts';
import { settle } from './conditions.ts';
import { checkDiagnosed } from './diagnosed.ts';
import type { RouteFacts } from './facts.ts';
import { checkProgrammed } from './programmed.ts';
import type { DisabledTarget } from './proxy-report.ts';

/** `status` of an LLMRoute. */
export type RouteStatus = NonNullable<LLMRoute['status']>;

type BackendStatus = NonNullable<RouteStatus['backends']>[number];
type Summary = NonNullable<RouteStatus['summary']>;

/** The bound of the schema for the list. */
const backendsMax = 64;
/** The bound of the schema for a column. */
const columnBytesMax = 256;

const reasons = [...failoverClasses, 'Probe', 'Manual'] as const;

/** Decides the status of an LLMRoute. */
export function decideRouteStatus(facts: RouteFacts): RouteStatus {
  const diagnosed = checkDiagnosed(facts);
  const settled = settle(facts, [...diagnosed, checkProgrammed(facts, diagnosed)]);
  const backends = describeBackends(facts);
  const summary = summarise(facts);
  return {
    ...settled,
    ...(backends.length > 0 ? { backends } : {}),
    ...(Object.keys(summary).length > 0 ? { summary } : {}),
  };
}

/** Those that are disabled first, so that none of them is cut; those that are left out are the conditions' matter. */
function describeBackends({ backends, served, disabled }: RouteFacts): readonly BackendStatus[] {
  const here = backends.filter((name) => served.has(name));
  const out = here.flatMap((name) => {
    const target = disabled.get(name);
    return target === undefined ? [] : [toDisabled(name, target)];
  });
  const others = here.filter((name) => !disabled.has(name));
  return [...out, ...others.map((name) => ({ name, state: 'Enabled' }) as const)].slice(0, backendsMax);
}

function toDisabled(name: string, target: DisabledTarget): BackendStatus {
  const reason = reasons.find((known) => known === target.reason);
  return {
    name,
    state: 'Disabled',
    ...(reason === undefined ? {} : { reason }),
    ...(target.until === undefined ? {} : { until: target.until }),
  };
}

function summarise({ backends, served, disabled, models, strategies }: RouteFacts): Summary {
  const usable = backends.filter((name) => served.has(name) && !disabled.has(name));
  return {
    ...(backends.length > 0 ? { backends: `${usable.length}/${backends.length}` } : {}),
    ...(models.length > 0 ? { models: toColumn(models) } : {}),
    ...(strategies.length > 0 ? { strategies: toColumn(strategies) } : {}),
  };
}

/** Each once: two rules may have the same strategy, and a model may be there as a name and as a beginning. */
function toColumn(values: readonly string[]): string {
  return joinBounded([...new Set(values)], { separator: ', ', bytesMax: columnBytesMax });
}
