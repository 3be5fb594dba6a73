// Requests for vectors in the forms of each vendor. The path names the model.

import { ClientError } from '../../canonical/client-error.ts';
import type { EmbeddingInput, EmbeddingRequest } from '../../canonical/embedding.ts';
import type { JsonObject } from '../openai/wire.ts';
import { withDefined } from '../openai-chat/wire.ts';
import type { EncodedRequest } from '../protocol.ts';

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html */
export function encodeTitan(request: EmbeddingRequest): EncodedRequest {
  const { dimensions, inputType, truncate, userId } = request;
  // What is too long is an error, whatever is asked for.
  const cut = truncate === true ? truncate : undefined;
  const wire = { inputText: onlyText(request), ...withDefined({ dimensions }) };
  return toEncoded(wire, { inputType, truncate: cut, userId });
}

/** What vectors are for: what is found, or what is looked for. */
const purposes: { readonly [inputType: string]: string } = {
  search_document: 'GENERIC_INDEX',
  document: 'GENERIC_INDEX',
  passage: 'GENERIC_INDEX',
  search_query: 'GENERIC_RETRIEVAL',
  query: 'GENERIC_RETRIEVAL',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
};

/** https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html */
export function encodeNova(request: EmbeddingRequest): EncodedRequest {
  const { dimensions, inputType, truncate, userId } = request;
  const purpose = wordFor(inputType, purposes);
  const singleEmbeddingParams = {
    // It has to be said; whoever does not say it mostly stores them.
    embeddingPurpose: purpose ?? 'GENERIC_INDEX',
    ...withDefined({ embeddingDimension: dimensions }),
    text: { truncationMode: truncate === false ? 'NONE' : 'END', value: onlyText(request) },
  };
  const wire = { taskType: 'SINGLE_EMBEDDING', singleEmbeddingParams };
  return toEncoded(wire, { inputType: purpose === undefined ? inputType : undefined, userId });
}

const inputTypes: { readonly [inputType: string]: string } = {
  search_document: 'search_document',
  document: 'search_document',
  passage: 'search_document',
  search_query: 'search_query',
  query: 'search_query',
  classification: 'classification',
  clustering: 'clustering',
};

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html */
export function encodeCohere(request: EmbeddingRequest): EncodedRequest {
  const { inputs, dimensions, inputType, truncate, userId } = request;
  const type = wordFor(inputType, inputTypes);
  const wire = {
    texts: inputs.map(toText),
    input_type: type ?? 'search_document',
    embedding_types: ['float'],
    ...withDefined({
      output_dimension: dimensions,
      truncate: truncate === undefined ? undefined : truncate ? 'END' : 'NONE',
    }),
  };
  return toEncoded(wire, { inputType: type === undefined ? inputType : undefined, userId });
}

function wordFor(inputType: string | undefined, words: { readonly [name: string]: string }): string | undefined {
  const name = inputType?.toLowerCase() ?? '';
  return Object.hasOwn(words, name) ? words[name] : undefined;
}

function toEncoded(wire: JsonObject, left: object): EncodedRequest {
  const dropped = Object.keys(withDefined(left)).map((name) => ({ name }));
  return { body: Buffer.from(JSON.stringify(wire)), dropped };
}

/** Requests of more inputs are split before they come here. */
function onlyText({ inputs }: EmbeddingRequest): string {
  const [only] = inputs;
  if (only === undefined || inputs.length > 1) throw new Error(`${inputs.length} inputs for a model that takes one`);
  return toText(only);
}

function toText(input: EmbeddingInput): string {
  if (input.type === 'text') return input.text;
  throw new ClientError('invalid_request', { message: 'input must be text: this model takes no tokens.' });
}
