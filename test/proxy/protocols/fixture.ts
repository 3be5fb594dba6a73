// Answers of OpenAI and of servers that speak as it does.

import type { ProtocolId } from '../../../proxy/protocols/protocol.ts';
import { SseFrames } from '../../../proxy/stream/sse-frames.ts';
import { recordingsIn } from './recorded.ts';

interface Facts {
  readonly protocol: Exclude<ProtocolId, 'relay'>;
  readonly nextSequence?: number;
}

export const { all: fixtures, streams } = recordingsIn<Facts>(new URL('fixtures/', import.meta.url));

/** The frames of a stream that arrives in pieces of `size` bytes. */
export function framesOf(bytes: Buffer, size = bytes.length): Buffer[] {
  const frames = new SseFrames();
  const result: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) result.push(...frames.push(bytes.subarray(at, at + size)));
  const rest = frames.flush();
  return rest === undefined ? result : [...result, rest];
}
