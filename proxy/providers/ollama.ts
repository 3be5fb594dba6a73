// Ollama's own API. https://github.com/ollama/ollama/blob/main/docs/api.md

import type { ProtocolId } from '../protocols/protocol.ts';
import { below } from './location.ts';
import type { ProviderKind, Spoken } from './provider-kind.ts';

const spoken: Spoken = {
  native: new Set<ProtocolId>(['ollama-chat', 'ollama-generate', 'ollama-embed', 'ollama-embeddings']),
  chat: { protocol: 'ollama-chat' },
  embeddings: { protocol: 'ollama-embed' },
};

/** Servers of people's own, and ollama.com, which wants a key. */
export const ollama: ProviderKind = {
  authentication: 'bearer',
  usageOnRequest: false,
  speaks: () => spoken,
  locate: ({ path }, { basePath }) => below(basePath, path),
};
