// The matches of a rule, as far as proxies can evaluate them. An expression that they cannot evaluate is taken away; the
// rest of its entry stays, so that the requests it is about do not come to a rule that was never meant for them.

import type { LLMRoute } from '../../crds/llm-route.ts';
import { compileMatchExpression } from '../../proxy/config/match-expression.ts';
import { defined } from './defined.ts';
import { type Finding, notAccepted } from './diagnostic.ts';

type Matches = LLMRoute['spec']['rules'][number]['matches'];

/** What is left of the matches of a rule. */
export interface DraftedMatches {
  /** Undefined: the rule takes everything. Empty: nothing is left, which must never be read as everything. */
  readonly matches: Matches;
  readonly findings: readonly Finding[];
}

/** `field`: path of the rule. `isLast`: no rule comes after it. */
export function draftMatches(matches: Matches, field: string, isLast: boolean): DraftedMatches {
  const findings: Finding[] = [];
  const left = matches?.flatMap((match, index) => {
    const problem = match.cel === undefined ? undefined : explainExpression(match.cel);
    if (problem === undefined) return [match];
    const rest = defined({ ...match, cel: undefined });
    const isEmpty = Object.keys(rest).length === 0;
    const message =
      isEmpty && !isLast ? `${problem}; requests that it would have matched go to the next rule` : problem;
    findings.push(notAccepted('Invalid', `${field}.matches[${index}].cel`, message));
    return isEmpty ? [] : [rest];
  });
  return { matches: left, findings };
}

function explainExpression(cel: string): string | undefined {
  try {
    compileMatchExpression(cel);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'the expression is not valid';
  }
}
