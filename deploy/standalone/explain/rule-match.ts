// Why a rule does not match: its `matches` taken apart, each part judged by the proxy's own test.

import type { MatchConfig } from '../../../proxy/config/schema.ts';
import type { MatchContext } from '../../../proxy/config/snapshot.ts';
import { compileMatches } from '../../../proxy/routing/match.ts';

/** One reason for each alternative of a rule that does not match. */
export function explainMismatch(matches: readonly MatchConfig[], context: MatchContext): readonly string[] {
  return matches.map((match) =>
    partsOf(match)
      .filter(({ part }) => !compileMatches([part])(context))
      .map(({ says }) => says(context))
      .join(', and '),
  );
}

interface Part {
  readonly part: MatchConfig;
  readonly says: (context: MatchContext) => string;
}

function partsOf({ headers, tenant, keySelector, cel }: MatchConfig): readonly Part[] {
  const parts: Part[] = headers.map((header) => ({
    part: { headers: [header] },
    says: (context) => `${describeHeader(header)}; ${describeActual(header.name, context)}`,
  }));
  if (tenant !== undefined) {
    parts.push({
      part: { headers: [], tenant },
      says: ({ principal }) =>
        `the tenant must be ${tenant}; ${principal === undefined ? 'there is none' : `it is ${principal.tenant}`}`,
    });
  }
  if (keySelector !== undefined) {
    parts.push({
      part: { headers: [], keySelector },
      says: ({ principal }) =>
        principal === undefined
          ? 'the client key must have labels of the keySelector; there is no key'
          : `the labels of ${principal.id} are not those of the keySelector`,
    });
  }
  if (cel !== undefined) parts.push({ part: { headers: [], cel }, says: () => `the expression does not hold: ${cel}` });
  return parts;
}

function describeHeader({ name, type, value = '' }: MatchConfig['headers'][number]): string {
  switch (type) {
    case 'Present':
      return `the header ${name} must be there`;
    case 'Exact':
      return `the header ${name} must be ${value}`;
    case 'Prefix':
      return `the header ${name} must begin with ${value}`;
  }
}

function describeActual(name: string, { headers }: MatchContext): string {
  const actual = headers[name.toLowerCase()];
  return actual === undefined ? 'it is not there' : `it is ${String(actual)}`;
}
