// Requests without anything to answer. They only load a model into the server's memory, or take it out, which is nothing
// that an upstream elsewhere could do: they are answered here.

import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import { encodeMessage, encodeResponseText, type EncodeSaid } from './encode-answer.ts';
import { toTimestamp } from './wire.ts';

/** Such requests have a few hundred bytes; looking into every large one would cost more than they are worth. */
const bodyBytesMax = 4096;

/** The answer to a chat request without messages; undefined if it has any. `nowMs` is the time that it says it was made. */
export function answerChatHere(body: Buffer, nowMs?: number): Buffer | undefined {
  // Every message has a role: that there is one is sooner found than read.
  if (body.includes('"role"')) return undefined;
  return answerLoad(body, 'messages', encodeMessage, nowMs);
}

/** The answer to a generate request without a prompt; undefined if it has one. */
export function answerGenerateHere(body: Buffer, nowMs?: number): Buffer | undefined {
  return answerLoad(body, 'prompt', encodeResponseText, nowMs);
}

function answerLoad(body: Buffer, asked: string, encode: EncodeSaid, nowMs?: number): Buffer | undefined {
  const json = body.length > bodyBytesMax ? undefined : parseJson(body.toString('utf8'));
  if (!isJsonObject(json) || typeof json['model'] !== 'string' || !isNothing(json[asked])) return undefined;
  // One object, even where a stream was asked for.
  const wire: JsonObject = {
    model: json['model'],
    ...(nowMs !== undefined && { created_at: toTimestamp(nowMs) }),
    ...encode({ text: '', thinking: '', calls: [] }),
    done: true,
    done_reason: isZero(json['keep_alive']) ? 'unload' : 'load',
  };
  return Buffer.from(JSON.stringify(wire));
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** A time to stay loaded of nothing: seconds, or a number with a unit. */
function isZero(value: unknown): boolean {
  return value === 0 || (typeof value === 'string' && /^0[a-zµ]*$/.test(value));
}
