// Log probabilities: the entries are those of chat completions, in another place.

import type { Metadata } from '../../canonical/block.ts';
import { isJsonObject } from '../openai/wire.ts';
import { chat } from '../openai-chat/wire.ts';

/** Those of a part of a stream, or of a whole answer; empty if there are none. */
export function logprobsOf(of: { readonly metadata?: Metadata }): readonly unknown[] {
  const theirs = of.metadata?.[chat];
  if (theirs === undefined) return none;
  const choice = theirs['choice'];
  const found = theirs['logprobs'] ?? (isJsonObject(choice) ? choice['logprobs'] : undefined);
  const content = isJsonObject(found) ? found['content'] : undefined;
  return Array.isArray(content) ? content : none;
}

const none: readonly unknown[] = [];
