// Answers of Gemini and Vertex, byte for byte, and what there is to say of each.

import { readFileSync } from 'node:fs';

import type { StreamPart } from '../../../../proxy/canonical/response.ts';
import type { Usage } from '../../../../proxy/canonical/usage.ts';
import type { UpstreamCodec } from '../../../../proxy/protocols/protocol.ts';
import { framesOf } from '../fixture.ts';

interface Expected {
  readonly empty: boolean;
  readonly usage?: Usage;
  readonly finished?: boolean;
  /** Streams: the type of the signal. */
  readonly error?: string;
  /** Whole answers: the detail of the signal. */
  readonly signal?: string;
}

export interface Fixture extends Expected {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The fixtures of a folder beside these tests. */
export function fixturesIn(folder: URL): readonly Fixture[] {
  const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<string, Expected>;
  return Object.entries(expected).map(([name, facts]) => ({
    ...facts,
    name,
    bytes: readFileSync(new URL(name, folder)),
  }));
}

const fixtures = fixturesIn(new URL('fixtures/', import.meta.url));

export const streams: readonly Fixture[] = fixtures.filter(({ name }) => name.endsWith('.sse'));
export const answers: readonly Fixture[] = fixtures.filter(({ name }) => !name.endsWith('.sse'));

/** The bytes of one answer. */
export function bytesOf(name: string): Buffer {
  const found = fixtures.find((fixture) => fixture.name === name);
  if (found === undefined) throw new Error(name);
  return found.bytes;
}

/** The parts of a stream that arrives in pieces of `size` bytes. */
export function decode(codec: UpstreamCodec, bytes: Buffer, size = bytes.length): readonly StreamPart[] {
  const decoder = codec.streamDecoder({ fallbackId: 'req-7' });
  return [...framesOf(bytes, size).flatMap((frame) => decoder.decode(frame).parts), ...decoder.end()];
}
