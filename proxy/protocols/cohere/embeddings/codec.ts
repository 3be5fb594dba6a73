// Vectors of Cohere. https://docs.cohere.com/reference/embed

import { ClientError } from '../../../canonical/client-error.ts';
import type { EmbeddingInput, EmbeddingRequest } from '../../../canonical/embedding.ts';
import { decodeEmbeddings, type EmbeddingFacts, isVector } from '../../embedding-answer.ts';
import type { EmbeddingUpstreamCodec } from '../../embedding-codec.ts';
import { isJsonObject, type JsonObject } from '../../openai/wire.ts';
import { withDefined } from '../../openai-chat/wire.ts';
import type { EncodedRequest } from '../../protocol.ts';
import { isError, objectOf, readUsage } from '../wire.ts';

/** `cohere-embeddings`. */
export const cohereEmbeddingsUpstreamCodec: EmbeddingUpstreamCodec = {
  inputsMax: 96,
  encodeRequest,
  decodeResponse: (body, inputs, headers = {}) =>
    decodeEmbeddings(body, inputs, headers, {
      read: readFacts,
      decodeVector: (value) => (isVector(value) ? value : undefined),
      metadata: () => ({}),
    }),
};

/** What vectors are for has to be said; whoever does not say it mostly stores them. */
const fallbackType = 'search_document';

/** The same in the words of other vendors. */
const inputTypes: { readonly [inputType: string]: string } = {
  search_document: 'search_document',
  document: 'search_document',
  passage: 'search_document',
  retrieval_document: 'search_document',
  search_query: 'search_query',
  query: 'search_query',
  retrieval_query: 'search_query',
  classification: 'classification',
  clustering: 'clustering',
};

function encodeRequest(request: EmbeddingRequest): EncodedRequest {
  const { model, inputs, dimensions, inputType, truncate, userId } = request;
  const asked = inputType?.toLowerCase() ?? fallbackType;
  const isKnown = Object.hasOwn(inputTypes, asked);
  const wire = {
    model,
    texts: inputs.map(toText),
    input_type: isKnown ? inputTypes[asked] : fallbackType,
    embedding_types: ['float'],
    ...withDefined({ output_dimension: dimensions, truncate: encodeTruncate(truncate) }),
  };
  const left = withDefined({ inputType: isKnown ? undefined : inputType, userId });
  return { body: Buffer.from(JSON.stringify(wire)), dropped: Object.keys(left).map((name) => ({ name })) };
}

function encodeTruncate(truncate: boolean | undefined): 'END' | 'NONE' | undefined {
  if (truncate === undefined) return undefined;
  return truncate ? 'END' : 'NONE';
}

function readFacts(json: JsonObject): EmbeddingFacts {
  const { embeddings, meta } = json;
  // The first API had the list itself.
  const vectors = isJsonObject(embeddings) ? embeddings['float'] : embeddings;
  return {
    vectors: Array.isArray(vectors) ? vectors : undefined,
    usage: readUsage(objectOf(meta)),
    failed: isError(json),
  };
}

function toText(input: EmbeddingInput): string {
  if (input.type === 'text') return input.text;
  throw new ClientError('invalid_request', { message: 'input must be text: this model takes no tokens.' });
}
