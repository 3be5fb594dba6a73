// The codec for each kind of server that speaks OpenAI's embeddings.

import type { EmbeddingUpstreamCodec } from '../embedding-codec.ts';
import { createOpenaiEmbeddingsUpstreamCodec, type EmbeddingsDialect, openaiEmbeddingsDialect } from './codec.ts';

/** Every dialect that a provider may name. */
const dialects = {
  openai: openaiEmbeddingsDialect,
  /** Not all of them know base64, and those that do not may not say so. */
  compatible: { ...openaiEmbeddingsDialect, encoding: undefined },
  /** https://docs.mistral.ai/api/#tag/embeddings: at most 16,384 tokens a request, whatever that is in inputs. */
  mistral: { inputsMax: 32, dimensionsMember: 'output_dimension', tokens: false, encoding: undefined },
} as const satisfies { readonly [name: string]: EmbeddingsDialect };

const codecs = new Map(
  Object.entries(dialects).map(([name, dialect]) => [name, createOpenaiEmbeddingsUpstreamCodec(dialect)]),
);

/** The codec for one kind of server; OpenAI's own if it is not said. Throws on a name that nobody knows. */
export function openaiEmbeddingsUpstream(
  dialect: string = 'openai' satisfies keyof typeof dialects,
): EmbeddingUpstreamCodec {
  const codec = codecs.get(dialect);
  if (codec === undefined) throw new Error(`embeddings have no dialect ${dialect}`);
  return codec;
}
