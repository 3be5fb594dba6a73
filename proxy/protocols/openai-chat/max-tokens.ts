// The most tokens of an answer, which have two names: `max_tokens`, and OpenAI's newer `max_completion_tokens`.

import { textOf, withMember, withoutMember } from '../edits.ts';
import type { EditedBody, Edits } from '../protocol.ts';
import type { ChatDialect } from './dialect.ts';

const former = 'max_tokens';
const current = 'max_completion_tokens';

/** A backend that sets the limit means it under either name: beside it a client's would be another one. */
export function completeParameters(parameters: Edits): Edits {
  const { set } = parameters;
  if (set.has(current) === set.has(former)) return parameters;
  return withoutMember(parameters, set.has(current) ? former : current);
}

/**
 * Names the client's limit as a kind of server does. Some clients send both names for fear of servers that know only one;
 * those that know both refuse two.
 */
export function nameMaxTokens(edited: EditedBody, { maxTokensMember }: ChatDialect): Edits {
  const { edits } = edited;
  if (edits.set.has(current)) return edits;
  const limit = textOf(edited, current);
  if (limit === undefined) return edits;
  if (limit === 'null') return withoutMember(edits, current);
  if (maxTokensMember === current) {
    return textOf(edited, former) === undefined ? edits : withoutMember(edits, former);
  }
  const named = edits.remove.has(former) ? edits : withMember(edits, former, limit);
  return withoutMember(named, current);
}
