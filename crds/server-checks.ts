/** Finds checks that zod makes and the API server would not: it would let pass what we refuse, or the other way round. */
import type { z } from 'zod';

/** Kinds of zod schemas that say no more than the schema that is made from them. */
const plainTypes: ReadonlySet<string> = new Set([
  'array',
  'boolean',
  'default',
  'enum',
  'number',
  'object',
  'optional',
  'prefault',
  'record',
  'string',
  'union',
  'unknown',
]);

/**
 * The keywords with which the API server makes the same checks as `schema` does by refinements. Throws on checks that
 * no keyword shows; `at` begins the message.
 */
export function serverChecks(schema: z.core.$ZodTypes, at: string): readonly string[] {
  const { def } = schema._zod;
  if (!plainTypes.has(def.type)) throw new Error(`${at}: ${def.type}, which no structural schema shows`);
  if ('coerce' in def && def.coerce === true) throw new Error(`${at}: coercion, which the API server does not do`);
  if (def.type === 'record' && !isPlainString(def.keyType)) {
    throw new Error(`${at}: a pattern on the keys of a map is lost; write a rule over them`);
  }
  return (def.checks ?? []).flatMap((check): readonly string[] => {
    const details = check._zod.def;
    if ('pattern' in details && details.pattern instanceof RegExp && details.pattern.flags !== '') {
      throw new Error(`${at}: flags of a pattern are lost`);
    }
    if (details.check !== 'custom') return [];
    const keyword: unknown = 'params' in details ? Reflect.get(Object(details.params), 'serverCheck') : undefined;
    if (typeof keyword !== 'string') throw new Error(`${at}: a refinement without a CEL rule beside it`);
    return [keyword];
  });
}

function isPlainString(schema: z.core.$ZodType): boolean {
  const { def } = schema._zod;
  return def.type === 'string' && (def.checks ?? []).length === 0;
}
