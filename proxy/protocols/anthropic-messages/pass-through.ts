// The pass-through lanes of messages and of counting their tokens.

import { readJsonAnswer } from '../openai/json-answer.ts';
import type { FrameFacts } from '../openai/stream-judge.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { rewriteMembers } from '../json-members.ts';
import type { PassThroughProtocol } from '../protocol.ts';
import { blockHasContent } from './message-judge.ts';
import { MessageStreamTap } from './stream-tap.ts';
import { readCounts, toUsage } from './usage.ts';
import { withSources } from './with-sources.ts';
import { withoutThinking } from './without-thinking.ts';

/** Pass-through of `anthropic-messages`. */
export const anthropicMessagesPassThrough: PassThroughProtocol = {
  id: 'anthropic-messages',
  rewrite: (body, peek, edits) => rewriteMembers(body, peek.members, edits),
  readAnswer: (body, headers = {}) => readJsonAnswer(body, headers, readMessage),
  tap: ({ headers }) => new MessageStreamTap(headers),
  withoutThinking,
  withSources,
};

/** Pass-through of `anthropic-count-tokens`, which is never streamed. */
export const anthropicCountTokensPassThrough: PassThroughProtocol = {
  ...anthropicMessagesPassThrough,
  id: 'anthropic-count-tokens',
  readAnswer: (body, headers = {}) => readJsonAnswer(body, headers, readTokenCount),
};

/** Reads a whole message, or says why it is none. */
export function readMessage(json: JsonObject): FrameFacts | string {
  const failed = isError(json);
  if (!failed && !Array.isArray(json['content'])) return 'the answer has no content';
  const blocks = Array.isArray(json['content']) ? json['content'].filter(isJsonObject) : [];
  return {
    ...bare,
    content: blocks.some(blockHasContent),
    usage: toUsage(readCounts(json['usage'])),
    filtered: json['stop_reason'] === 'refusal',
    failure: failed ? { type: 'error' } : undefined,
  };
}

/** The count is no usage: nothing was generated, and nothing is paid for. */
function readTokenCount(json: JsonObject): FrameFacts | string {
  if (isError(json)) return { ...bare, failure: { type: 'error' } };
  return typeof json['input_tokens'] === 'number' ? { ...bare, content: true } : 'the answer has no count';
}

const bare: FrameFacts = {
  content: false,
  usage: undefined,
  usageOnly: false,
  seen: [],
  ended: [],
  filtered: false,
  failure: undefined,
  sequence: undefined,
};

function isError(json: JsonObject): boolean {
  return json['type'] === 'error' || Boolean(json['error']);
}
