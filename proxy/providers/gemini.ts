// Google's Gemini API. https://ai.google.dev/api

import type { ProtocolId } from '../protocols/protocol.ts';
import { below, modelSegment } from './location.ts';
import type { ProviderKind, Spoken } from './provider-kind.ts';

const spoken: Spoken = {
  native: new Set<ProtocolId>(),
  chat: { protocol: 'gemini', dialect: 'gemini' },
  embeddings: { protocol: 'gemini-embeddings', dialect: 'gemini' },
};

/** The key goes in a header: in a query it would be in every log on the way. */
export const gemini: ProviderKind = {
  authentication: 'x-goog-api-key',
  usageOnRequest: false,
  speaks: () => spoken,
  locate({ protocol, path }, { basePath, model, stream }) {
    if (protocol === 'gemini') return below(basePath, `/v1beta/${modelPath(model)}${generation(stream)}`);
    if (protocol === 'gemini-embeddings') return below(basePath, `/v1beta/${modelPath(model)}:batchEmbedContents`);
    return below(basePath, /^\/v1(?:alpha|beta)\d*\//.test(path) ? path : `/v1beta${path}`);
  },
};

/** The method of a model that answers. Without `alt=sse` its stream would be one array. */
export function generation(stream: boolean): string {
  return stream ? ':streamGenerateContent?alt=sse' : ':generateContent';
}

/** People call a model by its name or by that of its resource. */
function modelPath(model: string | undefined): string {
  const [, collection = 'models', name = model] = /^(models|tunedModels)\/(.+)$/.exec(model ?? '') ?? [];
  return `${collection}/${modelSegment(name)}`;
}
