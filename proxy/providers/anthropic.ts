// Anthropic. https://platform.claude.com/docs/en/api/overview

import type { ProtocolId } from '../protocols/protocol.ts';
import { below } from './location.ts';
import type { ProviderKind, Spoken } from './provider-kind.ts';

const spoken: Spoken = {
  native: new Set<ProtocolId>(['anthropic-messages', 'anthropic-count-tokens']),
  chat: { protocol: 'anthropic-messages' },
  embeddings: undefined,
};

/** Anthropic itself, and servers that do as it does. */
export const anthropic: ProviderKind = {
  authentication: 'x-api-key',
  usageOnRequest: false,
  // Without it every request is refused. Clients that speak this protocol say which version they read.
  headers: { 'anthropic-version': '2023-06-01' },
  speaks: () => spoken,
  locate: ({ path }, { basePath }) => below(basePath, `/v1${path}`),
};
