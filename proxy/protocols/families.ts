// The APIs that protocols belong to, one for each vendor whose clients we take: how its errors look where no operation is
// known yet, and what of it needs no upstream.

import { ClientError } from '../canonical/client-error.ts';
import { anthropicMessagesClient } from './anthropic-messages/client.ts';
import { encodeModel, encodeModelList } from './anthropic-messages/listing.ts';
import { ollamaChatClient } from './ollama/client.ts';
import { ollamaLocalOperations } from './ollama/listing.ts';
import { openaiModels } from './openai/models.ts';
import type { ClientProtocol, LocalOperation } from './protocol.ts';
import { relayClient } from './relay/client.ts';

/** An API. */
export type ProtocolFamily = 'openai' | 'anthropic' | 'ollama';

interface Family {
  /** Writes errors of operations that nobody knows. */
  readonly face: ClientProtocol;
  readonly local: readonly LocalOperation[];
}

/** `GET /models` and `GET /models/{id}`, page by page. */
const anthropicModels: LocalOperation = {
  path: '/models',
  methods: ['GET', 'HEAD'],
  takesId: true,
  answer({ id, query, models }) {
    const listed = models();
    const head = { contentType: 'application/json', requestIdHeader: anthropicMessagesClient.requestIdHeader };
    if (id === undefined) return { ...head, body: encodeModelList(listed, query) };
    const model = listed.find((candidate) => candidate.id === id);
    if (model === undefined) throw new ClientError('model_not_found');
    return { ...head, body: encodeModel(model) };
  },
};

const families: { readonly [family in ProtocolFamily]?: Family } = {
  openai: { face: relayClient, local: [openaiModels] },
  anthropic: { face: anthropicMessagesClient, local: [anthropicModels] },
  ollama: { face: ollamaChatClient, local: ollamaLocalOperations },
};

/** An operation of one API that is answered here. */
export interface LocalMatch {
  readonly family: ProtocolFamily;
  readonly operation: LocalOperation;
  /** The id of a model that follows the path. */
  readonly id: string | undefined;
}

/** What of an API is answered here. */
export function localOperations(family: ProtocolFamily): readonly LocalOperation[] {
  return families[family]?.local ?? [];
}

/** The face that writes the errors of a path, where nothing more is known of a request than its path and headers. */
export function faceOfPath(path: string, headers: { readonly [name: string]: unknown } = {}): ClientProtocol {
  const family = familyOfPath(path) ?? familyOfHeaders(headers);
  const face = families[family]?.face ?? relayClient;
  return { ...relayClient, encodeError: (error, requestId, model) => face.encodeError(error, requestId, model) };
}

/** Of several families that have an operation, the one whose client asks. */
export function pickFamily(matches: readonly LocalMatch[], headers: { readonly [name: string]: unknown }): LocalMatch {
  const [first] = matches;
  const found = matches.find(({ family }) => family === familyOfHeaders(headers)) ?? first;
  if (found === undefined) throw new Error('there is nothing to pick from');
  return found;
}

/** Every client of Anthropic's says which version of the API it reads. */
function familyOfHeaders(headers: { readonly [name: string]: unknown }): ProtocolFamily {
  return headers['anthropic-version'] === undefined ? 'openai' : 'anthropic';
}

function familyOfPath(path: string): ProtocolFamily | undefined {
  const segments = path.toLowerCase().split('/');
  if (segments.includes('anthropic')) return 'anthropic';
  // OpenAI's threads have messages too.
  if (segments.includes('openai') || segments.includes('threads')) return 'openai';
  if (segments.includes('messages')) return 'anthropic';
  return segments.includes('api') || path === '/' ? 'ollama' : undefined;
}
