// Answers as servers of Ollama send them.

import { NdjsonFrames } from '../../../../proxy/protocols/ndjson-frames.ts';
import type { OllamaProtocolId } from '../../../../proxy/protocols/ollama/client.ts';
import {
  ollamaChatPassThrough,
  ollamaEmbeddingsPassThrough,
  ollamaEmbedPassThrough,
  ollamaGeneratePassThrough,
} from '../../../../proxy/protocols/ollama/pass-through.ts';
import type { PassThroughProtocol } from '../../../../proxy/protocols/protocol.ts';
import { recordingsIn } from '../recorded.ts';

const folder = new URL('fixtures/', import.meta.url);

export const { streams, answers, bytesOf } = recordingsIn<{ readonly protocol: OllamaProtocolId }>(folder, '.ndjson');

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
