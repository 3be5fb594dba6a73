// Legacy completions stream → stream parts: what chat completions say in a delta stands in `text` here.

import { isJsonObject, parseJson } from '../openai/wire.ts';
import { ChatStreamDecoder } from '../openai-chat/stream-decoder.ts';
import type { DecodedFrame } from '../protocol.ts';
import { readSseEvent } from '../sse-event.ts';

/** Decodes one answer. */
export class CompletionStreamDecoder extends ChatStreamDecoder {
  override decode(frame: Buffer): DecodedFrame {
    return super.decode(toChat(frame));
  }
}

function toChat(frame: Buffer): Buffer {
  const { event, data } = readSseEvent(frame);
  const json = data === undefined || event !== undefined ? undefined : parseJson(data);
  if (!isJsonObject(json) || !Array.isArray(json['choices'])) return frame;
  const choices = json['choices'].map((choice: unknown) => {
    if (!isJsonObject(choice)) return choice;
    const { text, ...rest } = choice;
    return { ...rest, delta: { content: text } };
  });
  return Buffer.from(`data: ${JSON.stringify({ ...json, choices })}\n\n`);
}
