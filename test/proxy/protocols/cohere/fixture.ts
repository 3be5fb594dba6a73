// Answers of Cohere, byte for byte, and what there is to say of each.

import { type Fixture, fixturesIn } from '../gemini/fixture.ts';

const fixtures = fixturesIn(new URL('fixtures/', import.meta.url));

export const streams: readonly Fixture[] = fixtures.filter(({ name }) => name.endsWith('.sse'));
export const answers: readonly Fixture[] = fixtures.filter(({ name }) => !name.endsWith('.sse'));

/** The bytes of one answer. */
export function bytesOf(name: string): Buffer {
  const found = fixtures.find((fixture) => fixture.name === name);
  if (found === undefined) throw new Error(name);
  return found.bytes;
}
