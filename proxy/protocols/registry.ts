// Every protocol, by its id.

import { openaiChatClient } from './openai-chat/client.ts';
import { openaiChatPassThrough } from './openai-chat/pass-through.ts';
import { openaiCompletionsClient } from './openai-completions/client.ts';
import { openaiCompletionsPassThrough } from './openai-completions/pass-through.ts';
import { openaiEmbeddingsClient } from './openai-embeddings/client.ts';
import { openaiEmbeddingsPassThrough } from './openai-embeddings/pass-through.ts';
import { openaiResponsesClient } from './openai-responses/client.ts';
import { openaiResponsesPassThrough } from './openai-responses/pass-through.ts';
import type { ClientProtocol, PassThroughProtocol, ProtocolId } from './protocol.ts';
import { relayClient } from './relay/client.ts';

/** What there is of one protocol. */
export interface ProtocolEntry {
  readonly client: ClientProtocol;
  /** Undefined where bytes are passed on unread. */
  readonly passThrough: PassThroughProtocol | undefined;
}

/** All protocols that there is code for. */
export const protocols = {
  'openai-chat': { client: openaiChatClient, passThrough: openaiChatPassThrough },
  'openai-completions': { client: openaiCompletionsClient, passThrough: openaiCompletionsPassThrough },
  'openai-responses': { client: openaiResponsesClient, passThrough: openaiResponsesPassThrough },
  'openai-embeddings': { client: openaiEmbeddingsClient, passThrough: openaiEmbeddingsPassThrough },
  relay: { client: relayClient, passThrough: undefined },
} as const satisfies { readonly [id in ProtocolId]?: ProtocolEntry };

/** The entry of a protocol. Only protocols that are registered have operations, so that no request asks for another. */
export function protocolOf(id: ProtocolId): ProtocolEntry {
  const entries: { readonly [id in ProtocolId]?: ProtocolEntry } = protocols;
  const entry = entries[id];
  if (entry === undefined) throw new Error(`the protocol ${id} is not registered`);
  return entry;
}
