/**
 * The one way from a value (read from the API server, or from a file) to a typed resource. It gives the verdict that
 * the API server would give, and says every problem at once.
 */
import type { z } from 'zod';
import type { Kind } from './group.ts';
import { type LLMKey, llmKeySchema } from './llm-key.ts';
import { type LLMProvider, llmProviderSchema } from './llm-provider.ts';
import { type LLMRoute, llmRouteSchema } from './llm-route.ts';
import { objectMetaMembers } from './object-meta.ts';
import { type Problem, toProblems } from './problem.ts';

/** The type of each kind. */
export interface Resources {
  readonly LLMProvider: LLMProvider;
  readonly LLMRoute: LLMRoute;
  readonly LLMKey: LLMKey;
}

/** A resource with its defaults filled in, or everything that is wrong with it. */
export type ParseResult<Name extends Kind> =
  | { readonly ok: true; readonly resource: Resources[Name] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const schemas: { readonly [Name in Kind]: z.ZodType<Resources[Name]> } = {
  LLMProvider: llmProviderSchema,
  LLMRoute: llmRouteSchema,
  LLMKey: llmKeySchema,
};

/** Parses a resource of a known kind. A status that does not parse is left out: it is output, and written anew. */
export function parseResource<Name extends Kind>(kind: Name, value: unknown): ParseResult<Name> {
  const given = mapNulls(value, 'leave out');
  const parsed = schemas[kind].safeParse(given, { reportInput: true });
  const issues = [...(parsed.error?.issues ?? []), ...unknownNulls(kind, value)];
  const problems = [...misspeltMetadata(value), ...toProblems(issues.filter(({ path }) => path[0] !== 'status'))];
  if (problems.length > 0) return { ok: false, problems };
  if (parsed.success) return { ok: true, resource: parsed.data };
  return parseResource(kind, { ...Object(given), status: undefined });
}

/** A misspelt member is one even where it has no value. */
function unknownNulls(kind: Kind, value: unknown): readonly z.core.$ZodIssue[] {
  if (!holdsNull(value)) return [];
  const issues = schemas[kind].safeParse(mapNulls(value, 'undefined')).error?.issues ?? [];
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [];
    const parent = issue.path.reduce((above: unknown, segment) => Reflect.get(Object(above), segment), value);
    const keys = issue.keys.filter((key) => Reflect.get(Object(parent), key) === null);
    return keys.length > 0 ? [{ ...issue, keys }] : [];
  });
}

function holdsNull(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).some(holdsNull));
}

/** Metadata without a uid was written by a person; with one, the API server has already looked at it. */
function misspeltMetadata(value: unknown): readonly Problem[] {
  const metadata: unknown = Reflect.get(Object(value), 'metadata');
  if (typeof metadata !== 'object' || metadata === null || typeof Reflect.get(metadata, 'uid') === 'string') return [];
  const unknown = Object.keys(metadata).filter((member) => !objectMetaMembers.has(member));
  return unknown.map((member) => ({ field: `metadata.${member}`, message: 'is not a known field' }));
}

/**
 * The API server drops members that are null before it fills in defaults and validates; `weight:` without a value in
 * YAML is such a null. Free JSON (`parameters.set`) keeps what is inside its values.
 */
function mapNulls(value: unknown, nulls: 'leave out' | 'undefined', path: readonly string[] = []): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((entry) => mapNulls(entry, nulls, path));
  if (path.at(-3) === 'parameters' && path.at(-2) === 'set') return value;
  const members: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member !== null) members[name] = mapNulls(member, nulls, [...path, name]);
    else if (nulls === 'undefined') members[name] = undefined;
  }
  return members;
}
