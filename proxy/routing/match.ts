// Compiles a rule's `matches` into one test. Entries are alternatives; the members of one entry must all hold.

import type { MatchConfig } from '../config/schema.ts';
import type { MatchContext } from '../config/snapshot.ts';
import { compileMatchExpression } from '../config/match-expression.ts';
import { compileLabelSelector } from './label-selector.ts';

type Test = (context: MatchContext) => boolean;

/** A test for a whole `matches` list; an empty list matches everything. Throws on CEL that does not compile. */
export function compileMatches(matches: readonly MatchConfig[]): Test {
  if (matches.length === 0) return () => true;
  const alternatives = matches.map(compileMatch);
  return (context) => alternatives.some((holds) => holds(context));
}

function compileMatch(match: MatchConfig): Test {
  const tests: Test[] = match.headers.map(compileHeader);
  const { tenant, keySelector, cel } = match;
  if (tenant !== undefined) tests.push((context) => context.principal?.tenant === tenant);
  if (keySelector !== undefined) {
    const selects = compileLabelSelector(keySelector);
    tests.push((context) => context.principal !== undefined && selects(context.principal.labels));
  }
  if (cel !== undefined) tests.push(compileCel(cel));
  return (context) => tests.every((holds) => holds(context));
}

function compileHeader({ name, type, value = '' }: MatchConfig['headers'][number]): Test {
  const key = name.toLowerCase();
  const read = (context: MatchContext): string | undefined => {
    // Own ones only: an object has members that nobody sent.
    const header = Object.hasOwn(context.headers, key) ? context.headers[key] : undefined;
    return Array.isArray(header) ? header.join(', ') : header;
  };
  switch (type) {
    case 'Present':
      return (context) => read(context) !== undefined;
    case 'Exact':
      return (context) => read(context) === value;
    case 'Prefix':
      return (context) => read(context)?.startsWith(value) ?? false;
  }
}

function compileCel(source: string): Test {
  const holds = compileMatchExpression(source);
  return ({ headers, path, model = '', stream, principal }) =>
    holds({
      request: { headers: joinHeaders(headers), path, model, stream },
      client: {
        key: principal?.id ?? '',
        namespace: principal?.namespace ?? '',
        tenant: principal?.tenant ?? '',
        labels: principal?.labels ?? {},
      },
    });
}

function joinHeaders(headers: MatchContext['headers']): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return joined;
}
