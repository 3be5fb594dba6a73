// The pass-through lane of responses.

import { createPassThrough } from '../openai/pass-through.ts';
import type { FrameFacts } from '../openai/stream-judge.ts';
import { isJsonObject, type JsonObject, readUsage } from '../openai/wire.ts';
import type { PassThroughProtocol } from '../protocol.ts';
import { withoutReasoning } from './without-reasoning.ts';
import { eventHasContent, isFiltered, responseHasContent, terminalEvents } from './wire.ts';

/** Pass-through of `openai-responses`. */
export const openaiResponsesPassThrough: PassThroughProtocol = {
  ...createPassThrough({ id: 'openai-responses', readFrame: readEvent, readAnswer: readResponse }),
  withoutThinking: withoutReasoning,
};

/** The whole answer counts as one choice: it is open from the first event on, and ended by the terminal one. */
const answer: readonly number[] = [0];
const none: readonly number[] = [];

/** What an event says of the answer. */
export function readEvent(event: JsonObject): FrameFacts {
  const { type } = event;
  const response = isJsonObject(event['response']) ? event['response'] : undefined;
  const terminal = terminalEvents.has(type);
  const failed = type === 'error' || type === 'response.failed' || (type === undefined && Boolean(event['error']));
  return {
    content: eventHasContent(event),
    usage: readUsage(response?.['usage']),
    usageOnly: false,
    seen: answer,
    ended: terminal ? answer : none,
    filtered: response !== undefined && isFiltered(response),
    failure: failed ? { type: 'error' } : undefined,
    sequence: typeof event['sequence_number'] === 'number' ? event['sequence_number'] : undefined,
  };
}

function readResponse(response: JsonObject): FrameFacts | string {
  const failed = Boolean(response['error']) || response['status'] === 'failed';
  if (!failed && response['object'] !== 'response' && !Array.isArray(response['output']))
    return 'the answer is no response';
  // Answers in the background are complete as answers while they are queued or in progress.
  const pending = response['status'] === 'queued' || response['status'] === 'in_progress';
  return {
    content: pending || responseHasContent(response),
    usage: readUsage(response['usage']),
    usageOnly: false,
    seen: answer,
    ended: answer,
    filtered: isFiltered(response),
    failure: failed ? { type: 'error' } : undefined,
    sequence: undefined,
  };
}
