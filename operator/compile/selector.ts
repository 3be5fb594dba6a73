// Label selectors that the control plane evaluates itself: which namespaces `access.namespaces` means.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors

import type { LLMRoute } from '../../crds/llm-route.ts';
import type { LabelSelector } from '../../proxy/config/schema.ts';
import { defined } from './defined.ts';

/** A label selector as a resource holds it. */
export type SelectorSpec = NonNullable<LLMRoute['spec']['access']['keySelector']>;

/** Whether labels fulfil a selector; an empty selector takes everything. */
export function isSelected(labels: Readonly<Record<string, string>>, selector: SelectorSpec): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  // A label may be called `constructor`.
  const labelOf = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const label = labelOf(key);
      switch (operator) {
        case 'In':
          return label !== undefined && values.includes(label);
        case 'NotIn':
          return label === undefined || !values.includes(label);
        case 'Exists':
          return label !== undefined;
        case 'DoesNotExist':
          return label === undefined;
      }
    })
  );
}

/** A selector as the configuration holds it. */
export function toSelector({ matchLabels, matchExpressions }: SelectorSpec): LabelSelector {
  return defined<LabelSelector>({
    matchLabels: matchLabels && { ...matchLabels },
    matchExpressions: matchExpressions?.map(({ key, operator, values }) =>
      defined({ key, operator, values: values && [...values] }),
    ),
  });
}
