// Answers of Anthropic and of servers that resemble it, byte for byte, and what there is to say of each.

import { readFileSync } from 'node:fs';

import type { Usage } from '../../../../proxy/canonical/usage.ts';
import type { FrameVerdict } from '../../../../proxy/protocols/protocol.ts';

interface Expected {
  readonly empty: boolean;
  readonly usage?: Usage;
  /** Streams: one verdict a frame. */
  readonly verdicts?: readonly FrameVerdict[];
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

const folder = new URL('fixtures/', import.meta.url);
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<string, Expected>;

const fixtures: readonly Fixture[] = Object.entries(expected).map(([name, facts]) => ({
  ...facts,
  name,
  bytes: readFileSync(new URL(name, folder)),
}));

export const streams: readonly Fixture[] = fixtures.filter(({ name }) => name.endsWith('.sse'));
export const counts: readonly Fixture[] = fixtures.filter(({ name }) => name.startsWith('token-count'));
export const answers: readonly Fixture[] = fixtures.filter(
  (fixture) => !streams.includes(fixture) && !counts.includes(fixture),
);

/** The bytes of one answer. */
export function bytesOf(name: string): Buffer {
  const found = fixtures.find((fixture) => fixture.name === name);
  if (found === undefined) throw new Error(name);
  return found.bytes;
}
