/** Walks over a value and its structural schema side by side, as the API server does. */
import { z } from 'zod';
import { kindDefinitions } from '../../crds/definition.ts';
import { toCustomResourceDefinition } from '../../crds/generate.ts';
import type { Kind } from '../../crds/group.ts';
import { type Rule, rulesOf, type TransitionRule } from '../../crds/rule.ts';
import type { SchemaNode } from '../../crds/schema-node.ts';

/** A rule, and a value for which it must hold. */
export interface Visit {
  readonly rule: Rule<unknown>;
  readonly value: unknown;
  /** The value as CEL sees it: a time is a timestamp, not a string. */
  readonly cel: unknown;
  readonly field: string;
}

/** The structural schema of `spec` of each kind. */
const specNodes: ReadonlyMap<Kind, SchemaNode> = new Map(
  kindDefinitions.map((definition) => {
    const { spec } = toCustomResourceDefinition(definition) as {
      spec: { versions: [{ schema: { openAPIV3Schema: { properties: { spec: SchemaNode } } } }] };
    };
    return [definition.kind, spec.versions[0].schema.openAPIV3Schema.properties.spec];
  }),
);

/** The structural schema of `spec` of a kind. */
export function specNode(kind: Kind): SchemaNode {
  const node = specNodes.get(kind);
  if (node === undefined) throw new Error(`no definition of ${kind}`);
  return node;
}

/** Every rule of every kind, each once. */
export function allRules(): readonly (Rule<unknown> | TransitionRule)[] {
  const rules = new Set<Rule<unknown> | TransitionRule>();
  for (const { spec, status } of kindDefinitions) {
    for (const schema of [spec, status]) {
      z.toJSONSchema(schema, {
        target: 'openapi-3.0',
        io: 'input',
        override: ({ zodSchema }) => rulesOf(zodSchema).forEach((rule) => rules.add(rule)),
      });
    }
  }
  return [...rules];
}

/** Fills in the defaults that stand in the schema, and drops null members, as the API server does. */
export function withDefaults(node: SchemaNode, value: unknown): unknown {
  if (node['x-kubernetes-preserve-unknown-fields'] === true) return value;
  if (Array.isArray(value)) return value.map((entry) => withDefaults(childOf(node, 0), entry));
  if (typeof value !== 'object' || value === null) return value;
  const members: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) if (member !== null) members[name] = member;
  for (const [name, property] of Object.entries(propertiesOf(node))) {
    if (property['default'] !== undefined) members[name] ??= structuredClone(property['default']);
  }
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, withDefaults(childOf(node, name), member)]),
  );
}

/** Every rule that the API server would evaluate for a value, with what it would evaluate it on. */
export function visits(node: SchemaNode, value: unknown, field: string): readonly Visit[] {
  const here = validationsOf(node).flatMap(({ rule: cel, message }) => {
    const rule = rulesByText.get(`${cel} ${message}`);
    return rule === undefined ? [] : [{ rule, value, cel: toCEL(node, value), field }];
  });
  if (Array.isArray(value)) {
    return [...here, ...value.flatMap((entry, index) => visits(childOf(node, index), entry, `${field}[${index}]`))];
  }
  if (typeof value !== 'object' || value === null) return here;
  const below = Object.entries(value).flatMap(([name, member]) =>
    visits(childOf(node, name), member, `${field}.${name}`),
  );
  return [...here, ...below];
}

const rulesByText: ReadonlyMap<string, Rule<unknown>> = new Map(
  allRules().flatMap((rule) => (rule.holds === undefined ? [] : [[`${rule.cel} ${rule.message}`, rule]])),
);

function toCEL(node: SchemaNode, value: unknown): unknown {
  return node['format'] === 'date-time' && typeof value === 'string' ? new Date(value) : value;
}

function validationsOf(node: SchemaNode) {
  return (node['x-kubernetes-validations'] ?? []) as readonly { readonly rule: string; readonly message: string }[];
}

function propertiesOf(node: SchemaNode) {
  return (node['properties'] ?? {}) as Readonly<Record<string, SchemaNode>>;
}

function childOf(node: SchemaNode, key: string | number): SchemaNode {
  if (typeof key === 'number') return (node['items'] ?? {}) as SchemaNode;
  return propertiesOf(node)[key] ?? ((node['additionalProperties'] ?? {}) as SchemaNode);
}
