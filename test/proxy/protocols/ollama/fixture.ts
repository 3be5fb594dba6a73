// Answers as servers send them, byte for byte, and what there is to say of each.

import { readFileSync } from 'node:fs';

import type { Usage } from '../../../../proxy/canonical/usage.ts';
import { NdjsonFrames } from '../../../../proxy/protocols/ndjson-frames.ts';
import type { OllamaProtocolId } from '../../../../proxy/protocols/ollama/client.ts';
import {
  ollamaChatPassThrough,
  ollamaEmbeddingsPassThrough,
  ollamaEmbedPassThrough,
  ollamaGeneratePassThrough,
} from '../../../../proxy/protocols/ollama/pass-through.ts';
import type { FrameVerdict, PassThroughProtocol } from '../../../../proxy/protocols/protocol.ts';

interface Expected {
  readonly protocol: OllamaProtocolId;
  readonly empty: boolean;
  readonly usage?: Usage;
  /** Streams: one verdict a line. */
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

export const streams: readonly Fixture[] = fixtures.filter(({ name }) => name.endsWith('.ndjson'));
export const answers: readonly Fixture[] = fixtures.filter(({ name }) => !name.endsWith('.ndjson'));

export function bytesOf(name: string): Buffer {
  const found = fixtures.find((fixture) => fixture.name === name);
  if (found === undefined) throw new Error(name);
  return found.bytes;
}

/** The lines of a stream that arrives in pieces of `size` bytes. */
export function linesOf(bytes: Buffer, size = bytes.length): readonly Buffer[] {
  const frames = new NdjsonFrames();
  const result: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) result.push(...frames.push(bytes.subarray(at, at + size)));
  return [...result, ...[frames.flush()].filter((frame) => frame !== undefined)];
}

export const passThroughs: { readonly [id in OllamaProtocolId]: PassThroughProtocol } = {
  'ollama-chat': ollamaChatPassThrough,
  'ollama-generate': ollamaGeneratePassThrough,
  'ollama-embed': ollamaEmbedPassThrough,
  'ollama-embeddings': ollamaEmbeddingsPassThrough,
};
