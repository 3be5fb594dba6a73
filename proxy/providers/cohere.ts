// Cohere. https://docs.cohere.com/reference/about

import type { ProtocolId } from '../protocols/protocol.ts';
import { below } from './location.ts';
import type { ProviderKind, Spoken } from './provider-kind.ts';

const spoken: Spoken = {
  native: new Set<ProtocolId>(),
  chat: { protocol: 'cohere' },
  embeddings: { protocol: 'cohere-embeddings' },
};

/** Cohere's second API; what is passed on unread may be of either. */
export const cohere: ProviderKind = {
  authentication: 'bearer',
  usageOnRequest: false,
  speaks: () => spoken,
  locate({ protocol, path }, { basePath }) {
    if (protocol === 'cohere') return below(basePath, '/v2/chat');
    if (protocol === 'cohere-embeddings') return below(basePath, '/v2/embed');
    return below(basePath, path.startsWith('/v2/') ? path : `/v1${path}`);
  },
};
