// Every protocol that upstreams are asked in, by its id, and the codecs for it: one for each dialect.

import { anthropicMessagesUpstream } from './anthropic-messages/upstream.ts';
import { bedrockConverseUpstreamCodec } from './bedrock-converse/codec.ts';
import { bedrockEmbeddingsUpstream } from './bedrock-embeddings/codec.ts';
import { cohereUpstreamCodec } from './cohere/codec.ts';
import { cohereEmbeddingsUpstreamCodec } from './cohere/embeddings/codec.ts';
import type { EmbeddingUpstreamCodec } from './embedding-codec.ts';
import { createGeminiUpstreams } from './gemini/codec.ts';
import { geminiEmbeddingsUpstream } from './gemini/embeddings/codec.ts';
import type { SignatureMemory } from './gemini/signature.ts';
import { ollamaChatUpstreamCodec } from './ollama/chat/codec.ts';
import { ollamaEmbedUpstreamCodec } from './ollama/embed/codec.ts';
import { openaiChatUpstream } from './openai-chat/upstream.ts';
import { openaiEmbeddingsUpstream } from './openai-embeddings/upstream.ts';
import type { Speech, UpstreamCodec, UpstreamProtocolId } from './protocol.ts';

/** The codecs for upstreams. Those for a dialect that nobody knows throw. */
export interface UpstreamCodecs {
  /** For a chat with a vendor; undefined where there is none. */
  chat(speech: Speech): UpstreamCodec | undefined;
  /** For vectors of a vendor; undefined where there is none. */
  embeddings(speech: Speech): EmbeddingUpstreamCodec | undefined;
}

type ByDialect<Codec> = { readonly [id in UpstreamProtocolId]?: (dialect: string | undefined) => Codec };

const embeddings: ByDialect<EmbeddingUpstreamCodec> = {
  'openai-embeddings': openaiEmbeddingsUpstream,
  'ollama-embed': () => ollamaEmbedUpstreamCodec,
  'gemini-embeddings': geminiEmbeddingsUpstream,
  'bedrock-embeddings': bedrockEmbeddingsUpstream,
  'cohere-embeddings': () => cohereEmbeddingsUpstreamCodec,
};

/**
 * The codecs of one proxy. They outlive its configurations, and so does what they remember: `signatures` are those of
 * Google's models. Without it nothing is remembered.
 */
export function createUpstreamCodecs(signatures?: SignatureMemory): UpstreamCodecs {
  const chats: ByDialect<UpstreamCodec> = {
    'openai-chat': openaiChatUpstream,
    'anthropic-messages': anthropicMessagesUpstream,
    'ollama-chat': () => ollamaChatUpstreamCodec,
    gemini: createGeminiUpstreams(signatures),
    'bedrock-converse': () => bedrockConverseUpstreamCodec,
    cohere: () => cohereUpstreamCodec,
  };
  return {
    chat: ({ protocol, dialect }) => chats[protocol]?.(dialect),
    embeddings: ({ protocol, dialect }) => embeddings[protocol]?.(dialect),
  };
}
