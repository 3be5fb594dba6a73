// `failover` of a rule, with every default written out: what an attempt needs, and nothing to look up.

import { failoverClasses } from '../../crds/route-failover.ts';
import type { FailoverConfig } from '../../proxy/config/schema.ts';
import { defined } from './defined.ts';
import type { RuleSpec } from './route-spec.ts';

type Failover = RuleSpec['failover'];
interface FallbackRoutes {
  readonly fallbackRoute: FailoverConfig['fallbackRoute'];
  readonly fallbacks: FailoverConfig['fallbacks'];
}

type StatusCode = NonNullable<Failover['statusCodes']>[number];

/** Failures of the request itself: the next backend would say the same. */
const clientFaults: ReadonlySet<string> = new Set(['ContentFilter', 'BadRequest', 'TooLarge']);
const onByDefault = failoverClasses.filter((name) => !clientFaults.has(name));

/** `disableSeconds`: where the rule does not say for how long. `routes`: other routes, by their ids. */
export function compileFailover(failover: Failover, disableSeconds: number, routes: FallbackRoutes): FailoverConfig {
  const { on = onByDefault, statusCodes = [], maxAttempts, retry, retryBudgetPercent } = failover;
  const { whenAllDisabled, holdSeconds, hedgeSeconds, afterContent } = failover;
  return defined<FailoverConfig>({
    on: [...on],
    statusCodes: statusCodes.map(toRange),
    maxAttempts,
    retry: { ...retry },
    retryBudgetPercent,
    ...routes,
    whenAllDisabled,
    holdSeconds,
    hedgeSeconds,
    afterContent,
    disable: compileDisable(failover.disable, disableSeconds),
  });
}

/** A cap that the rule gives also holds for the time that it does not give. */
function compileDisable(disable: Failover['disable'], otherwise: number): FailoverConfig['disable'] {
  const { failures, windowSeconds, maxSeconds, probeSeconds } = disable;
  const seconds = disable.seconds ?? Math.min(otherwise, maxSeconds ?? otherwise);
  return defined({ failures, windowSeconds, seconds, maxSeconds, probeSeconds });
}

/** 404, "4xx" and "201-599" as inclusive ranges. */
function toRange(code: StatusCode): [number, number] {
  const text = String(code);
  if (text.endsWith('xx')) return [Number(text[0]) * 100, Number(text[0]) * 100 + 99];
  const [first = '', last = first] = text.split('-');
  return [Number(first), Number(last)];
}
