// Answers as vendors send them, byte for byte, and what there is to say of each.

import { readFileSync } from 'node:fs';

import type { Usage } from '../../../proxy/canonical/usage.ts';
import type { FrameVerdict, ProtocolId } from '../../../proxy/protocols/protocol.ts';
import { SseFrames } from '../../../proxy/stream/sse-frames.ts';

export interface Expected {
  readonly protocol: Exclude<ProtocolId, 'relay'>;
  readonly empty: boolean;
  readonly usage?: Usage;
  /** Streams: one verdict a frame, where the client did not ask for usage. */
  readonly verdicts?: readonly FrameVerdict[];
  readonly finished?: boolean;
  readonly nextSequence?: number;
  /** Streams: the type of the signal. */
  readonly error?: string;
  /** Whole answers: the detail of the signal. */
  readonly signal?: string;
}

export interface Fixture extends Expected {
  readonly name: string;
  readonly bytes: Buffer;
}

const folder = new URL('fixtures/', import.meta.url);
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<string, Expected>;

export const fixtures: readonly Fixture[] = Object.entries(expected).map(([name, facts]) => ({
  ...facts,
  name,
  bytes: readFileSync(new URL(name, folder)),
}));

export const streams: readonly Fixture[] = fixtures.filter(({ name }) => name.endsWith('.sse'));

/** The frames of a stream that arrives in pieces of `size` bytes. */
export function framesOf(bytes: Buffer, size = bytes.length): Buffer[] {
  const frames = new SseFrames();
  const result: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) result.push(...frames.push(bytes.subarray(at, at + size)));
  const rest = frames.flush();
  return rest === undefined ? result : [...result, rest];
}
