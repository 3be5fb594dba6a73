// What an answer, or one event of a streamed one, says of the answer as a whole.

import type { FrameFacts } from '../openai/stream-judge.ts';
import type { JsonObject } from '../openai/wire.ts';
import { decodeFinish, isFailedFinish } from './finish.ts';
import { isError, objectOf, objectsOf, readUsage, textOf } from './wire.ts';

/** Reads an event. */
export function readFacts(json: JsonObject): FrameFacts {
  const delta = objectOf(json['delta']);
  const message = objectOf(delta['message']);
  const isEnd = json['type'] === 'message-end';
  const reason = isEnd ? textOf(delta['finish_reason']) : '';
  return {
    content: hasContent(message),
    usage: isEnd ? readUsage(delta['usage']) : undefined,
    usageOnly: false,
    seen: [0],
    ended: isEnd ? [0] : [],
    filtered: isFiltered(reason),
    failure: failureOf(json, reason),
    sequence: undefined,
  };
}

/** Reads a whole answer, or says why it is none. */
export function readWholeFacts(json: JsonObject): FrameFacts | string {
  const reason = textOf(json['finish_reason']);
  const failure = failureOf(json, reason);
  const message = objectOf(json['message']);
  const facts: FrameFacts = {
    content: hasContent(message),
    usage: readUsage(json['usage']),
    usageOnly: false,
    seen: [0],
    ended: reason === '' ? [] : [0],
    filtered: isFiltered(reason),
    failure,
    sequence: undefined,
  };
  if (failure !== undefined) return facts;
  if (Object.keys(message).length === 0) return 'the answer has no message';
  return reason === '' && !facts.content ? 'the answer neither says anything nor ends' : facts;
}

function isFiltered(reason: string): boolean {
  return decodeFinish(reason, false) === 'content-filter';
}

function failureOf(json: JsonObject, reason: string): FrameFacts['failure'] {
  if (isError(json)) return { type: 'error' };
  return isFailedFinish(reason) ? { type: 'finish', reason } : undefined;
}

/** Whether a message, or a part of one, carries something that a client waits for. */
function hasContent(message: JsonObject): boolean {
  if (textOf(message['tool_plan']) !== '' || textOf(message['content']) !== '') return true;
  const says = objectsOf(message['content']).some(
    ({ text, thinking }) => textOf(text) !== '' || textOf(thinking) !== '',
  );
  return says || objectsOf(message['tool_calls']).length > 0;
}
