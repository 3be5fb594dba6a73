// The translating lane of vectors: the newer operation both ways, the older one towards clients.

import { ClientError } from '../../../canonical/client-error.ts';
import type { EmbeddingInput, EmbeddingRequest, EmbeddingResponse } from '../../../canonical/embedding.ts';
import { decodeEmbeddings, isVector } from '../../embedding-answer.ts';
import type { EmbeddingAnswerContext, EmbeddingClientCodec, EmbeddingUpstreamCodec } from '../../embedding-codec.ts';
import { keep, type MemberReader } from '../../member-reader.ts';
import { withDefined } from '../../openai-chat/wire.ts';
import type { EncodedRequest } from '../../protocol.ts';
import { toNanoseconds } from '../answer-times.ts';
import { openBody } from '../settings.ts';
import { kept, ollama } from '../wire.ts';
import { readEmbed } from './facts.ts';

/** Towards clients of `ollama-embed`. */
export const ollamaEmbedClientCodec: EmbeddingClientCodec = {
  decodeRequest: (body) => decodeRequest(openBody(body), 'input'),
  encodeResponse: encodeEmbed,
  nameParameter: (canonical) => (canonical === 'inputs' ? 'input' : canonical),
};

/** Towards clients of `ollama-embeddings`: one input, one vector. */
export const ollamaEmbeddingsClientCodec: EmbeddingClientCodec = {
  decodeRequest: (body) => decodeRequest(openBody(body), 'prompt'),
  encodeResponse: ({ vectors }) => Buffer.from(JSON.stringify({ embedding: vectors[0] ?? [] })),
  nameParameter: (canonical) => (canonical === 'inputs' ? 'prompt' : canonical),
};

/** A request without inputs has an answer, but not one for which an upstream would be needed. */
export function answerEmbedHere(body: Buffer): Buffer | undefined {
  return answerNothing(body, 'input');
}

/** The same of the older operation. */
export function answerEmbeddingsHere(body: Buffer): Buffer | undefined {
  return answerNothing(body, 'prompt');
}

/** Where nothing is asked, there is nothing long to read. */
const emptyBytesMax = 4096;

function answerNothing(body: Buffer, member: 'input' | 'prompt'): Buffer | undefined {
  if (body.length > emptyBytesMax) return undefined;
  const { model, inputs } = decodeRequest(openBody(body), member);
  if (inputs.length > 0) return undefined;
  const response = { model, vectors: [], metadata: {} };
  const codec = member === 'input' ? ollamaEmbedClientCodec : ollamaEmbeddingsClientCodec;
  return codec.encodeResponse(response, { model, encoding: 'float', elapsedMs: 0 });
}

/** The server takes any number; a request of so many is large enough. */
const inputsMax = 2048;

/** Towards servers: `ollama-embed`. */
export const ollamaEmbedUpstreamCodec: EmbeddingUpstreamCodec = {
  inputsMax,
  encodeRequest,
  decodeResponse: (body, inputs, headers = {}) =>
    decodeEmbeddings(body, inputs, headers, {
      read: readEmbed,
      decodeVector: (value) => (isVector(value) ? value : undefined),
      // Beside the vectors there are only durations.
      metadata: () => ({}),
    }),
};

function decodeRequest(reader: MemberReader, member: 'input' | 'prompt'): EmbeddingRequest {
  const inputs = member === 'input' ? decodeInputs(reader) : toInputs(reader.text(member) ?? '');
  const request = {
    model: reader.requiredText('model'),
    inputs,
    encoding: 'float' as const,
    ...withDefined({ dimensions: reader.number('dimensions'), truncate: reader.flag('truncate') }),
  };
  return { ...request, metadata: { ...keep(ollama, reader.rest()).metadata } };
}

function decodeInputs(reader: MemberReader): readonly EmbeddingInput[] {
  const input = reader.any('input') ?? '';
  if (typeof input === 'string') return toInputs(input);
  const isTexts = Array.isArray(input) && input.every((item): item is string => typeof item === 'string');
  if (!isTexts) throw reader.refuse('input', 'must be a string or a list of strings.');
  return input.map((text) => ({ type: 'text', text }));
}

/** Without a text the server only loads the model. */
function toInputs(text: string): readonly EmbeddingInput[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

function encodeEmbed(response: EmbeddingResponse, { model, elapsedMs }: EmbeddingAnswerContext): Buffer {
  const wire = {
    model: response.model === '' ? model : response.model,
    embeddings: response.vectors,
    total_duration: toNanoseconds(elapsedMs),
    // No model is loaded here.
    load_duration: 0,
    prompt_eval_count: response.usage?.inputTokens ?? 0,
  };
  return Buffer.from(JSON.stringify(wire));
}

function encodeRequest(request: EmbeddingRequest): EncodedRequest {
  const { model, inputs, dimensions, truncate, inputType, userId } = request;
  const wire = { ...kept(request), model, input: inputs.map(toText), ...withDefined({ dimensions, truncate }) };
  const dropped = Object.keys(withDefined({ inputType, userId })).map((name) => ({ name }));
  return { body: Buffer.from(JSON.stringify(wire)), dropped };
}

function toText(input: EmbeddingInput): string {
  if (input.type === 'text') return input.text;
  throw new ClientError('invalid_request', { message: 'input must be text: this model takes no tokens.' });
}
