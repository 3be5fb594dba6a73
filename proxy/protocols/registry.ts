// Every protocol that clients speak, by its id, and what there is of it. Those of upstreams are in upstream-codecs.ts.

import { anthropicCountTokensClient, anthropicMessagesClient } from './anthropic-messages/client.ts';
import { anthropicMessagesClientCodec, anthropicMessagesOwnCodec } from './anthropic-messages/codec.ts';
import { decodeCountTokensRequest } from './anthropic-messages/decode-request.ts';
import { encodeTokenCount } from './anthropic-messages/listing.ts';
import { countTokensEdit, messagesEdit } from './anthropic-messages/native-edits.ts';
import { anthropicCountTokensPassThrough, anthropicMessagesPassThrough } from './anthropic-messages/pass-through.ts';
import { MessageStreamDecoder } from './anthropic-messages/stream-decoder.ts';
import type { EmbeddingClientCodec } from './embedding-codec.ts';
import { ollamaChatClientCodec } from './ollama/chat/codec.ts';
import { OllamaStreamDecoder } from './ollama/chat/stream-decoder.ts';
import { ollamaChatClient, ollamaEmbedClient, ollamaEmbeddingsClient, ollamaGenerateClient } from './ollama/client.ts';
import {
  answerEmbedHere,
  answerEmbeddingsHere,
  ollamaEmbedClientCodec,
  ollamaEmbeddingsClientCodec,
} from './ollama/embed/codec.ts';
import { ollamaGenerateClientCodec } from './ollama/generate/codec.ts';
import { answerChatHere, answerGenerateHere } from './ollama/load-answer.ts';
import {
  ollamaChatPassThrough,
  ollamaEmbeddingsPassThrough,
  ollamaEmbedPassThrough,
  ollamaGeneratePassThrough,
} from './ollama/pass-through.ts';
import { openaiChatClient } from './openai-chat/client.ts';
import { openaiChatClientCodec } from './openai-chat/codec.ts';
import { openaiChatPassThrough } from './openai-chat/pass-through.ts';
import { ChatStreamDecoder } from './openai-chat/stream-decoder.ts';
import { openaiChatEdit } from './openai-chat/upstream.ts';
import { openaiCompletionsClient } from './openai-completions/client.ts';
import { openaiCompletionsClientCodec } from './openai-completions/codec.ts';
import { openaiCompletionsPassThrough } from './openai-completions/pass-through.ts';
import { CompletionStreamDecoder } from './openai-completions/stream-decoder.ts';
import { openaiEmbeddingsClient } from './openai-embeddings/client.ts';
import { openaiEmbeddingsClientCodec } from './openai-embeddings/codec.ts';
import { openaiEmbeddingsPassThrough } from './openai-embeddings/pass-through.ts';
import { openaiResponsesClient } from './openai-responses/client.ts';
import { openaiResponsesClientCodec } from './openai-responses/codec.ts';
import { openaiResponsesPassThrough } from './openai-responses/pass-through.ts';
import { ResponseStreamDecoder } from './openai-responses/stream-decoder.ts';
import type {
  BodyEdit,
  ClientCodec,
  ClientProtocol,
  OpenStreamDecoder,
  PassThroughProtocol,
  ProtocolId,
  Speech,
} from './protocol.ts';
import { relayClient } from './relay/client.ts';
import { countInputTokens, thoroughChars } from './tokens/request-tokens.ts';

/** What there is of one protocol that clients speak. */
export interface ProtocolEntry {
  readonly client: ClientProtocol;
  /** Undefined where bytes are passed on unread. */
  readonly passThrough: PassThroughProtocol | undefined;
  /** For chats with upstreams of other protocols. */
  readonly chat?: ClientCodec;
  /** For chats with upstreams of this protocol that do not take a client's bytes as they are; `chat` if undefined. */
  readonly ownChat?: ClientCodec;
  /** Reads streams that are passed on, for chats that another answer may have to go on with. */
  readonly openDecoder?: OpenStreamDecoder;
  /** For vectors of upstreams of other protocols. */
  readonly embeddings?: EmbeddingClientCodec;
  /** What kinds of servers need changed in bodies that are passed on, by how they are asked for a chat. */
  readonly edit?: (chat: Speech) => BodyEdit | undefined;
  /** An answer in the place of that of an upstream which has no such operation, and such a model. */
  readonly estimate?: (body: Buffer, model: string) => Promise<Buffer>;
  /** An answer to a request that asks nothing of a model; undefined if it asks something. */
  readonly answerHere?: (body: Buffer, nowMs: number) => Buffer | undefined;
}

/** All protocols that clients may speak. */
export const protocols = {
  'openai-chat': {
    client: openaiChatClient,
    passThrough: openaiChatPassThrough,
    chat: openaiChatClientCodec,
    openDecoder: (options) => new ChatStreamDecoder(options),
    edit: ({ protocol, dialect }) => (protocol === 'openai-chat' ? openaiChatEdit(dialect) : undefined),
  },
  'openai-completions': {
    client: openaiCompletionsClient,
    passThrough: openaiCompletionsPassThrough,
    chat: openaiCompletionsClientCodec,
    openDecoder: (options) => new CompletionStreamDecoder(options),
  },
  'openai-responses': {
    client: openaiResponsesClient,
    passThrough: openaiResponsesPassThrough,
    chat: openaiResponsesClientCodec,
    openDecoder: (options) => new ResponseStreamDecoder(options),
  },
  'openai-embeddings': {
    client: openaiEmbeddingsClient,
    passThrough: openaiEmbeddingsPassThrough,
    embeddings: openaiEmbeddingsClientCodec,
  },
  'anthropic-messages': {
    client: anthropicMessagesClient,
    passThrough: anthropicMessagesPassThrough,
    chat: anthropicMessagesClientCodec,
    ownChat: anthropicMessagesOwnCodec,
    openDecoder: (options) => new MessageStreamDecoder(options),
    edit: ({ protocol, dialect }) => (protocol === 'anthropic-messages' ? messagesEdit(dialect) : undefined),
  },
  'anthropic-count-tokens': {
    client: anthropicCountTokensClient,
    passThrough: anthropicCountTokensPassThrough,
    edit: ({ protocol, dialect }) => (protocol === 'anthropic-messages' ? countTokensEdit(dialect) : undefined),
    async estimate(body, model) {
      const request = decodeCountTokensRequest(body);
      return encodeTokenCount(countInputTokens({ ...request, model }, thoroughChars));
    },
  },
  'ollama-chat': {
    client: ollamaChatClient,
    passThrough: ollamaChatPassThrough,
    chat: ollamaChatClientCodec,
    openDecoder: (options) => new OllamaStreamDecoder(options),
    answerHere: answerChatHere,
  },
  'ollama-generate': {
    client: ollamaGenerateClient,
    passThrough: ollamaGeneratePassThrough,
    chat: ollamaGenerateClientCodec,
    openDecoder: (options) => new OllamaStreamDecoder(options),
    answerHere: answerGenerateHere,
  },
  'ollama-embed': {
    client: ollamaEmbedClient,
    passThrough: ollamaEmbedPassThrough,
    embeddings: ollamaEmbedClientCodec,
    answerHere: answerEmbedHere,
  },
  'ollama-embeddings': {
    client: ollamaEmbeddingsClient,
    passThrough: ollamaEmbeddingsPassThrough,
    embeddings: ollamaEmbeddingsClientCodec,
    answerHere: answerEmbeddingsHere,
  },
  relay: { client: relayClient, passThrough: undefined },
} as const satisfies { readonly [id in ProtocolId]?: ProtocolEntry };

const entries: { readonly [id in ProtocolId]?: ProtocolEntry } = protocols;

/** The ids of all protocols that clients may speak. */
export const protocolIds = Object.keys(protocols) as readonly ProtocolId[];

/** The entry of a protocol. Only protocols that are registered have operations, so that no request asks for another. */
export function protocolOf(id: ProtocolId): ProtocolEntry {
  const entry = entries[id];
  if (entry === undefined) throw new Error(`the protocol ${id} is not registered`);
  return entry;
}
