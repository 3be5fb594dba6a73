// Kubernetes label selectors, compiled once per configuration.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors

import type { LabelSelector } from '../config/schema.ts';

type Labels = Readonly<Record<string, string>>;

/** A test for labels. An empty selector matches everything, as in Kubernetes. */
export function compileLabelSelector(selector: LabelSelector): (labels: Labels) => boolean {
  const tests = [
    ...Object.entries(selector.matchLabels ?? {}).map(
      ([key, value]) =>
        (labels: Labels) =>
          valueOf(labels, key) === value,
    ),
    ...(selector.matchExpressions ?? []).map(compileExpression),
  ];
  return (labels) => tests.every((test) => test(labels));
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

function compileExpression({ key, operator, values }: Expression): (labels: Labels) => boolean {
  const listed = new Set(values);
  switch (operator) {
    case 'In':
      return (labels) => {
        const value = valueOf(labels, key);
        return value !== undefined && listed.has(value);
      };
    case 'NotIn':
      return (labels) => {
        const value = valueOf(labels, key);
        return value === undefined || !listed.has(value);
      };
    case 'Exists':
      return (labels) => valueOf(labels, key) !== undefined;
    case 'DoesNotExist':
      return (labels) => valueOf(labels, key) === undefined;
  }
}

/** A label may be called `constructor`, which every object has by inheritance. */
function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
