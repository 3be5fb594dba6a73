// Hard policy on providers, decided when the configuration is compiled: residency, price caps.

import type { RuleConfig } from '../config/schema.ts';
import type { Backend } from '../config/snapshot.ts';

type Requirement = RuleConfig['require'][number];

/** Why a rule's requirements exclude a backend, for people; undefined if they do not. */
export function explainExclusion(requirements: readonly Requirement[], backend: Backend): string | undefined {
  for (const requirement of requirements) {
    const reason = explainAttribute(requirement, backend) ?? explainPrice(requirement, backend);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function explainAttribute({ attribute }: Requirement, backend: Backend): string | undefined {
  if (attribute === undefined) return undefined;
  const { name, operator, values } = attribute;
  const { attributes } = backend.provider.config;
  // An attribute may be called `constructor`, which every object has by inheritance.
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  switch (operator) {
    case 'Exists':
      return value === undefined ? `its provider has no attribute ${name}` : undefined;
    case 'In':
      return value !== undefined && values.includes(value) ? undefined : `${name} must be one of ${values.join(', ')}`;
    case 'NotIn':
      return value !== undefined && values.includes(value) ? `${name} must not be ${value}` : undefined;
  }
}

/** A model without a known price is excluded: a cap that cannot be checked is not kept. */
function explainPrice({ maxPrice }: Requirement, backend: Backend): string | undefined {
  if (maxPrice === undefined) return undefined;
  const price = backend.modelConfig?.price;
  for (const side of ['inputPerMillion', 'outputPerMillion'] as const) {
    const cap = maxPrice[side];
    if (cap === undefined) continue;
    const actual = price?.[side];
    if (actual === undefined) return `its model has no ${side}`;
    if (actual > cap) return `its ${side} is above the cap`;
  }
  return undefined;
}
