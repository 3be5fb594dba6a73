// A conversation without what models thought in it.

import type { Block } from '../canonical/block.ts';
import type { CanonicalRequest } from '../canonical/request.ts';

/** A request, and which of its parameters had to go with the thinking. */
export interface Forgotten {
  readonly request: CanonicalRequest;
  readonly lost: readonly string[];
}

/**
 * The same request without thinking and signatures in its history; undefined if there is nothing to leave out. Inside a
 * row of tool calls the model does not think on either: Anthropic wants to see how it began.
 */
export function withoutThinking(request: CanonicalRequest): Forgotten | undefined {
  const calls = request.messages.some(({ content }) =>
    content.some(({ type }) => type === 'tool-call' || isThought(type)),
  );
  if (!calls) return undefined;
  const messages = request.messages
    .map((message) => ({ ...message, content: message.content.filter(({ type }) => !isThought(type)).map(unsigned) }))
    .filter(({ content }, index) => content.length > 0 || request.messages[index]?.content.length === 0);
  const stripped = { ...request, messages, unsigned: true };
  const goesOn = request.messages.at(-1)?.content.some(({ type }) => type === 'tool-result') === true;
  if (!goesOn || !thinks(request)) return { request: stripped, lost: [] };
  const { reasoningEffort, ...rest } = stripped;
  const lost = reasoningEffort === undefined ? 'thinking' : 'reasoningEffort';
  return { request: { ...rest, thinking: { type: 'off' } }, lost: [lost] };
}

/** Adaptive models do not mind. */
function thinks({ thinking, reasoningEffort }: CanonicalRequest): boolean {
  if (thinking !== undefined) return thinking.type === 'budget';
  return reasoningEffort !== undefined && reasoningEffort !== 'none';
}

function isThought(type: Block['type']): boolean {
  return type === 'thinking' || type === 'redacted-thinking';
}

/** Signatures of calls travel in what the client's protocol keeps with them. */
function unsigned(block: Block): Block {
  if (block.type !== 'tool-call') return block;
  const { metadata: _, ...call } = block;
  return call;
}
