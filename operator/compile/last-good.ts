// Last good: an object whose stored spec no longer parses keeps the form that was published last, until it is mended or
// deleted. A slip must not take a route away from its clients. References and claims are those of today all the same.

import type { ProviderConfig, RouteConfig, RuleConfig } from '../../proxy/config/schema.ts';
import { type Diagnostic, type Finding, notAccepted, toDiagnostics } from './diagnostic.ts';
import { type Facts, idOf } from './facts.ts';
import type { RouteDraft, RuleDraft } from './route-drafts.ts';
import { canServe } from './route-references.ts';
import type { InvalidObject } from './world.ts';

/** The published forms of providers that no longer parse. */
export function keepProviders({ invalid, world }: Facts): readonly ProviderConfig[] {
  return kept(invalid, 'LLMProvider', world.published?.providers).map(({ form }) => form);
}

/**
 * The published forms of routes that no longer parse, as drafts: what their references lead to is looked up again. Only
 * what has been counted out stays as it was: the namespaces of `access`, and backends that were gone already.
 */
export function keepRoutes({ invalid, world }: Facts): readonly RouteDraft[] {
  return kept(invalid, 'LLMRoute', world.published?.routes).map(({ object, form }) => {
    const { rules, ...head } = form;
    return { metadata: object, source: 'published', head, rules: rules.map(toDraft), findings: [] };
  });
}

function kept<Form extends { readonly id: string }>(
  invalid: readonly InvalidObject[],
  kind: InvalidObject['kind'],
  forms: readonly Form[] = [],
): readonly { readonly object: InvalidObject; readonly form: Form }[] {
  const objects = new Map(invalid.filter((object) => object.kind === kind).map((object) => [idOf(object), object]));
  return forms.flatMap((form) => {
    const object = objects.get(form.id);
    return object === undefined ? [] : [{ object, form }];
  });
}

/** Where anything in a previous form is: the object, as it is stored, need not have such a place any more. */
const field = 'spec';

function toDraft(config: RuleConfig): RuleDraft {
  const backends = config.backends.map((backend) => ({ field, config: backend }));
  return { field, config, backends, names: [...config.backends.map(({ name }) => name), ...config.leftOut] };
}

/** A problem of the previous form, in words that say so. */
export function ofPreviousForm(finding: Finding): Finding {
  return { ...finding, field, message: `in the previous form, ${finding.message}` };
}

/** What is in the configuration, by id. */
export interface InForce {
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly routes: ReadonlyMap<string, RouteConfig>;
}

/** What is wrong with the objects that do not parse. Keys are always taken as they are now: what is gone is gone. */
export function describeInvalid({ invalid }: Facts, inForce: InForce): readonly Diagnostic[] {
  return invalid.flatMap((object) => {
    const rest = restOf(object, inForce);
    const addition = rest === 'nothing' ? '' : '; the previous form of the object stays in force until this is mended';
    const findings = object.problems.map((problem) =>
      notAccepted('Invalid', problem.field, `${problem.message}${addition}`),
    );
    return toDiagnostics(object.kind, object, rest === 'serves' ? 'none' : 'whole', findings);
  });
}

/** A form may be in force without anything to send requests to: it then keeps its claims, and refuses. */
function restOf(object: InvalidObject, { providers, routes }: InForce): 'serves' | 'refuses' | 'nothing' {
  const id = idOf(object);
  if (object.kind === 'LLMProvider' && providers.has(id)) return 'serves';
  const route = object.kind === 'LLMRoute' ? routes.get(id) : undefined;
  if (route === undefined) return 'nothing';
  return route.rules.some(canServe) ? 'serves' : 'refuses';
}
