/**
 * Rules that look at more than one field. Each is one object, so that the check made here (zod) and the check made
 * by the API server (CEL) are written side by side; test/crds evaluates both on the same values.
 */
import { globalRegistry, type z } from 'zod';

/** Where the rules of a schema are kept in its metadata; the CRD extension of the same name is made from them. */
export const validationsKey = 'x-kubernetes-validations';

/** Something that must hold for a value, said twice: as CEL over `self`, and as a function. */
export interface Rule<Value> {
  readonly cel: string;
  /** For people: what must hold. */
  readonly message: string;
  /** The member to blame, relative to the value: `.azure`. */
  readonly fieldPath?: string;
  readonly holds: (value: Value) => boolean;
}

/** A rule about a change. It needs the previous object (`oldSelf`), so only the API server can check it. */
export interface TransitionRule {
  readonly cel: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly holds?: never;
}

/** Attaches rules to a schema: as refinements for zod, and as metadata for the CRD. */
export function withRules<Schema extends z.ZodType>(
  schema: Schema,
  rules: readonly (Rule<z.output<Schema>> | TransitionRule)[],
): Schema {
  let checked = schema;
  for (const rule of rules) {
    const { holds } = rule;
    if (holds === undefined) continue;
    checked = checked.refine((value) => holds(value), {
      error: rule.message,
      path: toPath(rule.fieldPath),
      params: { serverCheck: validationsKey },
    });
  }
  const earlier = rulesOf(schema);
  return checked.meta({ ...schema.meta(), [validationsKey]: [...earlier, ...rules] });
}

/** The rules attached to a schema, in the order in which they were attached. */
export function rulesOf(schema: z.core.$ZodType): readonly (Rule<unknown> | TransitionRule)[] {
  const rules = globalRegistry.get(schema)?.[validationsKey];
  return Array.isArray(rules) ? rules : [];
}

function toPath(fieldPath: string | undefined): string[] {
  return fieldPath === undefined ? [] : fieldPath.split('.').slice(1);
}
