// Google's Vertex AI: Google's own models, and Anthropic's in Anthropic's protocol.
// https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest

import type { ProtocolId, UpstreamOperation } from '../protocols/protocol.ts';
import { generation } from './gemini.ts';
import { modelSegment } from './location.ts';
import type { Place, ProviderKind, Spoken } from './provider-kind.ts';
import { proveToGoogle } from './google-credentials.ts';

function spokenWith(dialect: 'vertex' | 'vertex-single'): Spoken {
  return {
    native: new Set<ProtocolId>(),
    chat: { protocol: 'gemini', dialect: 'vertex' },
    embeddings: { protocol: 'gemini-embeddings', dialect },
  };
}

const google = spokenWith('vertex');
/** gemini-embedding-001 takes one text at a time. */
const oneByOne = spokenWith('vertex-single');
const claude: Spoken = {
  native: new Set<ProtocolId>(['anthropic-messages', 'anthropic-count-tokens']),
  chat: { protocol: 'anthropic-messages', dialect: 'vertex' },
  embeddings: undefined,
};

/** Vertex AI. The base URL holds project and location; a key is an API key, an access token, or a JSON key file. */
export const vertex: ProviderKind = {
  authentication: 'signature',
  usageOnRequest: false,
  speaks(model = '') {
    if (/claude/i.test(model)) return claude;
    return /gemini-embedding/i.test(model) ? oneByOne : google;
  },
  locate,
  sign: proveToGoogle,
};

function locate({ protocol, path }: UpstreamOperation, { basePath, model, stream }: Place): string {
  switch (protocol) {
    case 'relay':
      return basePath + path;
    case 'anthropic-messages':
      return basePath + modelPath(model, 'anthropic') + (stream ? ':streamRawPredict' : ':rawPredict');
    case 'anthropic-count-tokens':
      // Here the body names the model. https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
      return `${basePath}/publishers/anthropic/models/count-tokens:rawPredict`;
    case 'gemini-embeddings':
      return `${basePath}${modelPath(model, 'google')}:predict`;
    default:
      return basePath + modelPath(model, 'google') + generation(stream);
  }
}

/** A model by its name, or what is told apart from others' models in a path: an endpoint, a model of a publisher's. */
function modelPath(model: string | undefined, publisher: 'google' | 'anthropic'): string {
  const [, endpoint] = /^endpoints\/([^/]+)$/.exec(model ?? '') ?? [];
  if (endpoint !== undefined) return `/endpoints/${modelSegment(endpoint)}`;
  const [, owner = publisher, name = model] = /^publishers\/([\w-]+)\/models\/([^/]+)$/.exec(model ?? '') ?? [];
  // Versions of Anthropic's models are written behind a sign that need not be encoded, and is not in any of the examples.
  return `/publishers/${owner}/models/${modelSegment(name).replaceAll('%40', '@')}`;
}
