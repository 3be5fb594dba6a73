// Answer → canonical response.

import type { Block } from '../../canonical/block.ts';
import type { SignalHeaders } from '../../canonical/failure.ts';
import type { Alternative, CanonicalResponse } from '../../canonical/response.ts';
import { readJsonAnswer } from '../openai/json-answer.ts';
import { type JsonObject, parseJson } from '../openai/wire.ts';
import { chat, withDefined, without } from '../openai-chat/wire.ts';
import type { DecodedResponse } from '../protocol.ts';
import { readWholeFacts } from './facts.ts';
import { decodeFinish, finishReasonOf } from './finish.ts';
import { decodeLogprobs } from './logprobs.ts';
import { type Piece, PieceReader, toImageParts } from './pieces.ts';
import { type Service, type SignatureMemory, toThinkingSignature } from './signature.ts';
import { blockReasonOf, candidateNumber, candidatesOf, createdAtOf, gemini, partsOf, textOf, unwrap } from './wire.ts';

/** What reading answers depends on beside the answer. */
export interface DecodeFacts {
  readonly service: Service;
  readonly memory: SignatureMemory | undefined;
  /** Stands in where the upstream gives no id. */
  readonly fallbackId: string;
  readonly headers: SignalHeaders;
}

/** Members of an answer that have a counterpart in the canonical model. */
const answerMembers: ReadonlySet<string> = new Set([
  'candidates',
  'usageMetadata',
  'modelVersion',
  'responseId',
  'createTime',
]);

/** Reads an answer. */
export function decodeResponse(body: Buffer, facts: DecodeFacts): DecodedResponse {
  const { service, memory, fallbackId, headers } = facts;
  const { json, usage, signal, empty } = readJsonAnswer(unwrapBody(body), headers, readWholeFacts);
  const invalid = (detail: string): DecodedResponse => {
    return { type: 'invalid', signal: { type: 'invalid', detail, body: '', headers } };
  };
  if (signal !== undefined) return { type: 'invalid', signal };
  if (json === undefined) return invalid('the answer has no body');
  const { id, model, createdAt } = headOf(json, fallbackId);
  // One for all of them: their calls must have different ids.
  const reader = new PieceReader(service);
  const candidates = inOrder(json).map((candidate) => ({ candidate, pieces: reader.read(partsOf(candidate), id) }));
  const all = candidates.flatMap(({ pieces }) => pieces);
  if (all.some(({ type }) => type === 'broken')) return invalid('the answer has a tool call without a name');
  for (const piece of all) {
    if (piece.type === 'tool-call' && piece.signature !== undefined) memory?.remember(piece.id, piece.signature);
  }
  const blocked = blockReasonOf(json) === undefined ? undefined : 'SAFETY';
  const [first, ...others] = candidates.map((each) => decodeCandidate(each.candidate, each.pieces, blocked));
  const response: CanonicalResponse = {
    id,
    model,
    ...(first ?? decodeCandidate({}, [], blocked)),
    ...(others.length > 0 && { alternatives: others }),
    ...withDefined({ createdAt, usage }),
  };
  const metadata = { ...ownMembers(json), ...response.metadata };
  return { type: 'response', response: { ...response, metadata }, empty };
}

function decodeCandidate(candidate: JsonObject, pieces: readonly Piece[], blocked: string | undefined): Alternative {
  const content = pieces.reduce(addPiece, []);
  const calledTools = content.some(({ type }) => type === 'tool-call');
  const images = toImageParts(pieces);
  const own = withDefined({
    choice: withChoice(decodeLogprobs(candidate)),
    message: images.length > 0 ? { images } : undefined,
  });
  return {
    content,
    finish: decodeFinish(finishReasonOf(candidate) ?? blocked, calledTools),
    metadata: Object.keys(own).length > 0 ? { [chat]: own } : {},
  };
}

function inOrder(json: JsonObject): readonly JsonObject[] {
  return candidatesOf(json).toSorted((a, b) => candidateNumber(a) - candidateNumber(b));
}

/** Log probabilities where clients of OpenAI look for them. */
function withChoice(logprobs: JsonObject | undefined): JsonObject | undefined {
  return logprobs === undefined ? undefined : { logprobs };
}

function unwrapBody(body: Buffer): Buffer {
  // '[' is what an answer never begins with.
  if (body[0] !== 0x5b) return body;
  return Buffer.from(JSON.stringify(unwrap(parseJson(body.toString('utf8')))) ?? '');
}

/** The candidate that a chunk of a stream is about: several are never asked for there. */
export function firstCandidate(json: JsonObject): JsonObject {
  const candidates = candidatesOf(json);
  return candidates.find((candidate) => candidateNumber(candidate) === 0) ?? candidates[0] ?? {};
}

/** What an answer begins with. */
export function headOf(
  json: JsonObject,
  fallbackId: string,
): { readonly id: string; readonly model: string; readonly createdAt: number | undefined } {
  const id = textOf(json['responseId']);
  return { id: id === '' ? fallbackId : id, model: textOf(json['modelVersion']), createdAt: createdAtOf(json) };
}

/** What nobody else knows, under this protocol's name: why a prompt was blocked. */
export function ownMembers(json: JsonObject): { readonly [gemini]?: JsonObject } {
  const own = without(json, answerMembers);
  return Object.keys(own).length > 0 ? { [gemini]: own } : {};
}

/** Neighbouring texts are one; a signature is also told as that of the thinking before its call. */
function addPiece(blocks: readonly Block[], piece: Piece): Block[] {
  const last = blocks.at(-1);
  const before = blocks.slice(0, -1);
  switch (piece.type) {
    case 'broken':
      return [...blocks];
    case 'text':
    case 'thinking':
      if (last?.type !== piece.type) return [...blocks, { type: piece.type, text: piece.text }];
      return [...before, { ...last, text: last.text + piece.text }];
    case 'image': {
      const { type, mediaType, data } = piece;
      return [...blocks, { type, source: { type: 'base64', mediaType, data } }];
    }
    case 'tool-call': {
      const { type, id, tool, input, signature, metadata } = piece;
      const call: Block = { type, id, tool, input, ...metadata };
      if (signature === undefined) return [...blocks, call];
      const signed = { signature: toThinkingSignature(signature) };
      if (last?.type === 'thinking') return [...before, { ...last, ...signed }, call];
      return [...blocks, { type: 'thinking', text: '', ...signed }, call];
    }
  }
}
