// Vectors of both services: many texts at once at Gemini, and predictions at Vertex, where some models take one text at a
// time. https://ai.google.dev/api/embeddings https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api

import { ClientError } from '../../../canonical/client-error.ts';
import type { EmbeddingInput, EmbeddingRequest } from '../../../canonical/embedding.ts';
import type { Usage } from '../../../canonical/usage.ts';
import { decodeEmbeddings, type EmbeddingFacts, isVector } from '../../embedding-answer.ts';
import type { EmbeddingUpstreamCodec } from '../../embedding-codec.ts';
import { isJsonObject, type JsonObject } from '../../openai/wire.ts';
import { withDefined } from '../../openai-chat/wire.ts';
import type { EncodedRequest } from '../../protocol.ts';
import { isError, readUsage } from '../wire.ts';

/** `:batchEmbedContents`. */
const geminiCodec = createCodec(100, encodeBatch, readBatch);

/** What one `:predict` takes; there is a limit of tokens too, which nobody reaches with texts of usual length. */
const predictMax = 250;

const codecs = new Map<string, EmbeddingUpstreamCodec>([
  ['gemini', geminiCodec],
  ['vertex', createCodec(predictMax, encodePrediction, readPrediction)],
  // gemini-embedding-001 takes no more.
  ['vertex-single', createCodec(1, encodePrediction, readPrediction)],
]);

/** The codec for one service: `gemini`, `vertex`, or `vertex-single` for models that take one text. Throws on any other. */
export function geminiEmbeddingsUpstream(dialect = 'gemini'): EmbeddingUpstreamCodec {
  const codec = codecs.get(dialect);
  if (codec === undefined) throw new Error(`Gemini's embeddings have no dialect ${dialect}`);
  return codec;
}

function createCodec(
  inputsMax: number,
  encodeRequest: (request: EmbeddingRequest) => EncodedRequest,
  read: (json: JsonObject) => EmbeddingFacts,
): EmbeddingUpstreamCodec {
  return {
    inputsMax,
    encodeRequest,
    decodeResponse: (body, inputs, headers = {}) =>
      decodeEmbeddings(body, inputs, headers, {
        read,
        decodeVector: (value) => (isVector(value) ? value : undefined),
        metadata: () => ({}),
      }),
  };
}

function encodeBatch(request: EmbeddingRequest): EncodedRequest {
  const { model, inputs, dimensions, inputType, truncate, userId } = request;
  const taskType = taskTypeOf(inputType);
  const requests = inputs.map((input) => ({
    model: model.startsWith('models/') ? model : `models/${model}`,
    content: { parts: [{ text: toText(input) }] },
    ...withDefined({ taskType, outputDimensionality: dimensions }),
  }));
  // What is too long is cut here, whatever is asked for.
  const cut = truncate === false ? truncate : undefined;
  return toEncoded({ requests }, { userId, truncate: cut, inputType: taskType === undefined ? inputType : undefined });
}

function readBatch(json: JsonObject): EmbeddingFacts {
  const { embeddings } = json;
  return {
    vectors: Array.isArray(embeddings) ? embeddings.map(valuesOf) : undefined,
    usage: readUsage(json['usageMetadata']),
    failed: isError(json),
  };
}

function encodePrediction(request: EmbeddingRequest): EncodedRequest {
  const { inputs, dimensions, inputType, truncate, userId } = request;
  const taskType = taskTypeOf(inputType);
  const instances = inputs.map((input) => ({ content: toText(input), ...withDefined({ task_type: taskType }) }));
  const parameters = withDefined({ outputDimensionality: dimensions, autoTruncate: truncate });
  const wire = { instances, ...(Object.keys(parameters).length > 0 && { parameters }) };
  return toEncoded(wire, { userId, inputType: taskType === undefined ? inputType : undefined });
}

function readPrediction(json: JsonObject): EmbeddingFacts {
  const { predictions } = json;
  if (!Array.isArray(predictions)) return { vectors: undefined, usage: undefined, failed: isError(json) };
  const embeddings = predictions.map((prediction: unknown) =>
    isJsonObject(prediction) ? prediction['embeddings'] : {},
  );
  return { vectors: embeddings.map(valuesOf), usage: sumTokens(embeddings), failed: isError(json) };
}

/** Known only where it is told of each. */
function sumTokens(embeddings: readonly unknown[]): Usage | undefined {
  const counts = embeddings.map((embedding) => {
    const statistics = isJsonObject(embedding) ? embedding['statistics'] : undefined;
    return isJsonObject(statistics) ? statistics['token_count'] : undefined;
  });
  const known = counts.filter((count): count is number => typeof count === 'number' && count >= 0);
  if (known.length < counts.length || known.length === 0) return undefined;
  return { inputTokens: known.reduce((sum, count) => sum + Math.trunc(count), 0), outputTokens: 0 };
}

function valuesOf(embedding: unknown): unknown {
  return isJsonObject(embedding) ? embedding['values'] : undefined;
}

function toEncoded(wire: JsonObject, left: object): EncodedRequest {
  const dropped = Object.keys(withDefined(left)).map((name) => ({ name }));
  return { body: Buffer.from(JSON.stringify(wire)), dropped };
}

/** What vectors are for, in the words of other vendors. */
const taskTypes: { readonly [inputType: string]: string } = {
  query: 'RETRIEVAL_QUERY',
  search_query: 'RETRIEVAL_QUERY',
  document: 'RETRIEVAL_DOCUMENT',
  passage: 'RETRIEVAL_DOCUMENT',
  search_document: 'RETRIEVAL_DOCUMENT',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
};

const ownTaskType =
  /^(?:RETRIEVAL_QUERY|RETRIEVAL_DOCUMENT|SEMANTIC_SIMILARITY|CLASSIFICATION|CLUSTERING|QUESTION_ANSWERING|FACT_VERIFICATION|CODE_RETRIEVAL_QUERY)$/;

function taskTypeOf(inputType: string | undefined): string | undefined {
  if (inputType === undefined) return undefined;
  if (ownTaskType.test(inputType)) return inputType;
  return Object.hasOwn(taskTypes, inputType) ? taskTypes[inputType] : undefined;
}

function toText(input: EmbeddingInput): string {
  if (input.type === 'text') return input.text;
  throw new ClientError('invalid_request', { message: 'input must be text: this model takes no tokens.' });
}
