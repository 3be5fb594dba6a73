// Streams as Bedrock sends them, framed by AWS's own codec.

import { EventStreamCodec, type MessageHeaders } from '@smithy/core/event-streams';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import { bedrockConverseUpstreamCodec } from '../../../../proxy/protocols/bedrock-converse/codec.ts';
import { eventStream } from '../../../../proxy/protocols/bedrock-converse/event-stream.ts';
import type { StreamDecoder } from '../../../../proxy/protocols/protocol.ts';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
  (text) => Buffer.from(text),
);

function frame(headers: { readonly [name: string]: string }, body: string): Buffer {
  const tagged: MessageHeaders = {};
  for (const [name, value] of Object.entries(headers)) tagged[name] = { type: 'string', value };
  return Buffer.from(codec.encode({ headers: tagged, body: Buffer.from(body) }));
}

/** An event. Every payload has padding of some length. */
export function event(type: string, payload: object): Buffer {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return frame(headers, JSON.stringify(Array.isArray(payload) ? payload : { ...payload, p: 'abcdefghijklm' }));
}

export function exception(type: string, payload: object): Buffer {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return frame(headers, JSON.stringify(payload));
}

export function errorFrame(code: string, message: string): Buffer {
  return frame({ ':error-code': code, ':error-message': message, ':message-type': 'error' }, '');
}

export function start(): Buffer {
  return event('messageStart', { role: 'assistant' });
}

export function delta(index: number, wire: object): Buffer {
  return event('contentBlockDelta', { contentBlockIndex: index, delta: wire });
}

export function toolStart(index: number, toolUseId: string, name: string): Buffer {
  return event('contentBlockStart', { contentBlockIndex: index, start: { toolUse: { toolUseId, name } } });
}

export function stop(index: number): Buffer {
  return event('contentBlockStop', { contentBlockIndex: index });
}

export function messageStop(stopReason: string): Buffer {
  return event('messageStop', { stopReason });
}

export function metadata(usage: object): Buffer {
  return event('metadata', { usage, metrics: { latencyMs: 12 } });
}

export const usage = {
  inputTokens: 10,
  outputTokens: 5,
  totalTokens: 22,
  cacheReadInputTokens: 4,
  cacheWriteInputTokens: 3,
};

/** Thinking, text, a call with arguments and one without, with the frames and their padding as they come. */
export const everything: readonly Buffer[] = [
  start(),
  delta(0, { reasoningContent: { text: 'Hm' } }),
  delta(0, { reasoningContent: { text: '…' } }),
  delta(0, { reasoningContent: { signature: 'c2ln' } }),
  stop(0),
  delta(1, { reasoningContent: { redactedContent: 'aGlkZGVu' } }),
  stop(1),
  delta(2, { text: 'Grüße ' }),
  delta(2, { text: '😀' }),
  stop(2),
  toolStart(3, 'tooluse_a', 'weather'),
  delta(3, { toolUse: { input: '{"city":' } }),
  delta(3, { toolUse: { input: '"Köln"}' } }),
  stop(3),
  toolStart(4, 'tooluse_b', 'time'),
  delta(4, { toolUse: { input: '' } }),
  stop(4),
  messageStop('tool_use'),
  metadata(usage),
];

export interface Decoded {
  readonly parts: readonly StreamPart[];
  readonly verdicts: readonly string[];
  readonly decoder: StreamDecoder;
}

/** Decodes a stream that comes in pieces of so many bytes. */
export function decode(bytes: Buffer, size = bytes.length, headers = {}): Decoded {
  const decoder = bedrockConverseUpstreamCodec.streamDecoder({ fallbackId: 'fallback', headers });
  const splitter = eventStream.createSplitter();
  const parts: StreamPart[] = [];
  const verdicts: string[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    for (const one of splitter.push(bytes.subarray(at, at + size))) {
      const { verdict, parts: decoded } = decoder.decode(one);
      verdicts.push(verdict);
      parts.push(...decoded);
    }
  }
  parts.push(...decoder.end());
  return { parts, verdicts, decoder };
}
