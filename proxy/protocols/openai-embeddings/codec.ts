// The translating lane of embeddings. https://platform.openai.com/docs/api-reference/embeddings

import { ClientError } from '../../canonical/client-error.ts';
import type { EmbeddingInput, EmbeddingRequest, EmbeddingResponse, VectorEncoding } from '../../canonical/embedding.ts';
import type { SignalHeaders } from '../../canonical/failure.ts';
import { decodeEmbeddings } from '../embedding-answer.ts';
import type {
  DecodedEmbeddings,
  EmbeddingAnswerContext,
  EmbeddingClientCodec,
  EmbeddingUpstreamCodec,
} from '../embedding-codec.ts';
import { keep, MemberReader } from '../member-reader.ts';
import { isError } from '../openai/choices.ts';
import { isJsonObject, type JsonObject, parseJson, readUsage } from '../openai/wire.ts';
import { withDefined, without } from '../openai-chat/wire.ts';
import type { EncodedRequest } from '../protocol.ts';
import { decodeVector, encodeVector } from './vectors.ts';

/** The name under which canonical metadata keeps what only this protocol knows. */
const own = 'openai-embeddings';

/** Towards clients. */
export const openaiEmbeddingsClientCodec: EmbeddingClientCodec = {
  decodeRequest,
  encodeResponse,
  nameParameter: (canonical) => parameterNames[canonical] ?? canonical,
};

const parameterNames: { readonly [canonical: string]: string } = {
  inputs: 'input',
  encoding: 'encoding_format',
  inputType: 'input_type',
  userId: 'user',
};

/** How servers that speak this protocol differ: data that a provider gives to the codec. */
export interface EmbeddingsDialect {
  readonly inputsMax: number;
  /** Mistral has a name of its own. */
  readonly dimensionsMember: 'dimensions' | 'output_dimension';
  /** Whether tokens may stand for texts: only where the tokenizer is OpenAI's. */
  readonly tokens: boolean;
  /** How vectors are asked for; not at all if undefined. Either is read. */
  readonly encoding: VectorEncoding | undefined;
}

/** OpenAI itself. */
export const openaiEmbeddingsDialect: EmbeddingsDialect = {
  inputsMax: 2048,
  dimensionsMember: 'dimensions',
  tokens: true,
  encoding: 'base64',
};

/** Towards one kind of server. */
export function createOpenaiEmbeddingsUpstreamCodec(dialect: EmbeddingsDialect): EmbeddingUpstreamCodec {
  return {
    inputsMax: dialect.inputsMax,
    encodeRequest: (request) => encodeRequest(request, dialect),
    decodeResponse,
  };
}

function decodeRequest(body: Buffer): EmbeddingRequest {
  const json = parseJson(body.toString('utf8').replace(/^\u{feff}/u, ''));
  if (json === undefined) throw new ClientError('invalid_json');
  const reader = new MemberReader(json, '');
  const request = {
    model: reader.requiredText('model'),
    inputs: decodeInputs(reader),
    encoding: decodeEncoding(reader),
    ...withDefined({
      dimensions: reader.number('dimensions'),
      inputType: reader.text('input_type'),
      userId: reader.text('user'),
    }),
  };
  return { ...request, metadata: { ...keep(own, reader.rest()).metadata } };
}

function decodeInputs(reader: MemberReader): readonly EmbeddingInput[] {
  const input = reader.any('input');
  if (typeof input === 'string') return [{ type: 'text', text: input }];
  if (!Array.isArray(input) || input.length === 0) throw reader.refuse('input', 'must be a string or a list.');
  const list: readonly unknown[] = input;
  if (list.every(isText)) return list.map((text) => ({ type: 'text', text }));
  if (list.every(isTokens)) return list.map((tokens) => ({ type: 'tokens', tokens }));
  if (isTokens(list)) return [{ type: 'tokens', tokens: list }];
  throw reader.refuse('input', 'must have nothing but strings, or nothing but tokens.');
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => Number.isInteger(item));
}

function decodeEncoding(reader: MemberReader): VectorEncoding {
  const encoding = reader.text('encoding_format') ?? 'float';
  if (encoding !== 'float' && encoding !== 'base64') throw reader.refuse('encoding_format', 'must be float or base64.');
  return encoding;
}

function encodeResponse(response: EmbeddingResponse, { model, encoding }: EmbeddingAnswerContext): Buffer {
  const inputTokens = response.usage?.inputTokens ?? 0;
  const wire = {
    ...response.metadata[own],
    object: 'list',
    data: response.vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: encodeVector(vector, encoding),
    })),
    model: response.model === '' ? model : response.model,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
  };
  return Buffer.from(JSON.stringify(wire));
}

function encodeRequest(request: EmbeddingRequest, dialect: EmbeddingsDialect): EncodedRequest {
  const { model, inputs, dimensions, inputType, truncate, userId } = request;
  const wire = {
    ...request.metadata[own],
    model,
    input: inputs.map((input) => encodeInput(input, dialect)),
    ...withDefined({
      [dialect.dimensionsMember]: dimensions,
      encoding_format: dialect.encoding,
      input_type: inputType,
      user: userId,
    }),
  };
  // What is too long is an error here, as it would be if nothing had been said.
  return { body: Buffer.from(JSON.stringify(wire)), dropped: truncate === true ? [{ name: 'truncate' }] : [] };
}

function encodeInput(input: EmbeddingInput, { tokens }: EmbeddingsDialect): string | readonly number[] {
  if (input.type === 'text') return input.text;
  if (!tokens) throw new ClientError('invalid_request', { message: 'input must be text: this model takes no tokens.' });
  return input.tokens;
}

const answerMembers: ReadonlySet<string> = new Set(['object', 'data', 'model', 'usage']);

function decodeResponse(body: Buffer, inputs: number, headers: SignalHeaders = {}): DecodedEmbeddings {
  return decodeEmbeddings(body, inputs, headers, {
    read: (json) => ({ vectors: inOrder(json['data']), usage: readUsage(json['usage']), failed: isError(json) }),
    decodeVector,
    metadata(json) {
      const rest = without(json, answerMembers);
      return Object.keys(rest).length > 0 ? { [own]: rest } : {};
    },
  });
}

/** The vectors in the order of their inputs, whatever the order in which they came. */
function inOrder(data: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(data)) return undefined;
  const place = (item: JsonObject, position: number): number => {
    return typeof item['index'] === 'number' ? item['index'] : position;
  };
  return data
    .filter(isJsonObject)
    .map((item, position) => ({ at: place(item, position), vector: item['embedding'] }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ vector }) => vector);
}
