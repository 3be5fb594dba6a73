// Who may use a route, with the namespaces already counted out: proxies know nothing of namespaces and their labels.

import type { LLMRoute } from '../../crds/llm-route.ts';
import type { RouteConfig } from '../../proxy/config/schema.ts';
import { defined } from './defined.ts';
import type { Facts } from './facts.ts';
import { isSelected, toSelector } from './selector.ts';

/** `access` of a route. A key of another namespace never enters a route that does not say so. */
export function compileAccess({ metadata, spec }: LLMRoute, facts: Facts): RouteConfig['access'] {
  const { mode, keySelector, namespaces = { from: 'Same' } } = spec.access;
  return defined<RouteConfig['access']>({
    mode,
    keySelector: keySelector && toSelector(keySelector),
    namespaces: mode === 'Anonymous' ? [] : findNamespaces(namespaces, metadata.namespace, facts),
  });
}

type Namespaces = NonNullable<LLMRoute['spec']['access']['namespaces']>;

function findNamespaces({ from, selector }: Namespaces, own: string, facts: Facts): string[] {
  switch (from) {
    case 'Same':
      return [own];
    case 'All':
      return ['*'];
    case 'Selector':
      return [...facts.namespaces]
        .filter(([, labels]) => selector !== undefined && isSelected(labels, selector))
        .map(([name]) => name)
        .sort();
  }
}
