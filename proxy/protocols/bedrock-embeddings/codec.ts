// Vectors on Bedrock, where every vendor's models have a form of their own: Amazon's Titan and Nova, and Cohere's.
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html

import type { EmbeddingRequest } from '../../canonical/embedding.ts';
import type { SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import { objectOf } from '../bedrock-converse/wire.ts';
import { decodeEmbeddings, type EmbeddingFacts, isVector } from '../embedding-answer.ts';
import type { DecodedEmbeddings, EmbeddingUpstreamCodec } from '../embedding-codec.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import type { EncodedRequest } from '../protocol.ts';
import { encodeCohere, encodeNova, encodeTitan } from './encode-request.ts';

const codecs = new Map<string, EmbeddingUpstreamCodec>([
  ['titan', createCodec(1, encodeTitan, readTitan)],
  ['nova', createCodec(1, encodeNova, readNova)],
  ['cohere', createCodec(96, encodeCohere, readCohere)],
]);

/** The codec for the models of one vendor: `titan`, `nova` or `cohere`. Throws on any other. */
export function bedrockEmbeddingsUpstream(dialect = 'titan'): EmbeddingUpstreamCodec {
  const codec = codecs.get(dialect);
  if (codec === undefined) throw new Error(`Bedrock's embeddings have no dialect ${dialect}`);
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
    decodeResponse(body, inputs, headers = {}) {
      const decoded = decodeEmbeddings(body, inputs, headers, {
        read,
        decodeVector: (value) => (isVector(value) ? value : undefined),
        metadata: () => ({}),
      });
      return withUsage(decoded, headers);
    },
  };
}

/** What most models do not count in their answer Bedrock counts beside it. */
function withUsage(decoded: DecodedEmbeddings, headers: SignalHeaders): DecodedEmbeddings {
  if (decoded.type !== 'response' || decoded.response.usage !== undefined) return decoded;
  const usage = toUsage(Number(headers['x-amzn-bedrock-input-token-count']));
  return usage === undefined ? decoded : { ...decoded, response: { ...decoded.response, usage } };
}

function toUsage(count: unknown): Usage | undefined {
  if (typeof count !== 'number' || !(count >= 0)) return undefined;
  return { inputTokens: Math.trunc(count), outputTokens: 0 };
}

function readTitan(json: JsonObject): EmbeddingFacts {
  const { embedding, embeddingsByType, inputTextTokenCount } = json;
  const vector = embedding ?? objectOf(embeddingsByType)['float'];
  return {
    vectors: vector === undefined ? undefined : [vector],
    usage: toUsage(inputTextTokenCount),
    failed: isError(json),
  };
}

function readNova(json: JsonObject): EmbeddingFacts {
  const { embeddings } = json;
  const vectors = Array.isArray(embeddings)
    ? embeddings.filter(isJsonObject).map((one) => one['embedding'])
    : undefined;
  return { vectors, usage: toUsage(json['inputTextTokenCount']), failed: isError(json) };
}

function readCohere(json: JsonObject): EmbeddingFacts {
  const { embeddings } = json;
  // Where no types are asked for it is the list itself.
  const vectors = isJsonObject(embeddings) ? embeddings['float'] : embeddings;
  return { vectors: Array.isArray(vectors) ? vectors : undefined, usage: undefined, failed: isError(json) };
}

/** `{message}` is all that an error has. */
function isError(json: JsonObject): boolean {
  return typeof json['message'] === 'string' && json['message'] !== '' && json['embedding'] === undefined;
}
