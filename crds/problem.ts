/** What is wrong with a value, in words for the person who wrote it. */
import type { z } from 'zod';

/** One problem: where, and what must hold there. */
export interface Problem {
  /** Path from the root of the object, as in `spec.rules[0].backends[1].weight`; empty for the object itself. */
  readonly field: string;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Turns the issues of zod into problems, one for each unknown member. */
export function toProblems(issues: readonly Issue[]): readonly Problem[] {
  return issues.flatMap((issue): readonly Problem[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: toField([...issue.path, key]), message: 'is not a known field' }));
    }
    return [{ field: toField(issue.path), message: toMessage(issue) }];
  });
}

/** Writes a path the way Kubernetes does. */
export function toField(path: readonly PropertyKey[]): string {
  let field = '';
  for (const segment of path) {
    if (typeof segment === 'number') field += `[${segment}]`;
    else field += field === '' ? String(segment) : `.${String(segment)}`;
  }
  return field;
}

function toMessage(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'must be given'
        : `must be of type ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
    case 'too_small':
      return `must ${bound(issue.origin)} at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `must ${bound(issue.origin)} at most ${issue.maximum}${unit(issue.origin)}`;
    case 'invalid_format':
    case 'invalid_union':
    case 'custom':
      return issue.message;
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'unrecognized_keys':
      return issue.message;
  }
}

const typeNames: Readonly<Record<string, string>> = { int: 'integer', record: 'object' };
const units: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

function bound(origin: string): string {
  return origin in units ? 'have' : 'be';
}

function unit(origin: string): string {
  return units[origin] ?? '';
}
