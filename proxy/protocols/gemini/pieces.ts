// What the parts of an answer say, whether it is whole or a chunk.

import type { Metadata } from '../../canonical/block.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { callId } from '../openai-chat/wire.ts';
import { type Service, type Signature, toExtraContent } from './signature.ts';
import { textOf } from './wire.ts';

/** A call of a tool: always whole. */
export interface CallPiece {
  readonly type: 'tool-call';
  readonly id: string;
  readonly tool: string;
  readonly input: string;
  readonly signature: Signature | undefined;
  /** For clients whose protocol can carry the signature with the call. */
  readonly metadata: { readonly metadata?: Metadata };
}

/** One part. */
export type Piece =
  | { readonly type: 'text' | 'thinking'; readonly text: string }
  | { readonly type: 'image'; readonly mediaType: string; readonly data: string }
  | CallPiece
  /** A call without a name, which nobody can make. */
  | { readonly type: 'broken' };

/** Reads the parts of one answer, in order; counts its calls, most of which have no ids. */
export class PieceReader {
  readonly #service: Service;
  #calls = 0;

  constructor(service: Service) {
    this.#service = service;
  }

  get calls(): number {
    return this.#calls;
  }

  read(parts: readonly JsonObject[], answerId: string): readonly Piece[] {
    return parts.flatMap((part): readonly Piece[] => {
      const call = part['functionCall'];
      if (isJsonObject(call)) return [this.#call(call, part, answerId)];
      const image = toImage(part);
      if (image !== undefined) return [image];
      const text = textOf(part['text']);
      return text === '' ? [] : [{ type: part['thought'] === true ? 'thinking' : 'text', text }];
    });
  }

  #call(call: JsonObject, part: JsonObject, answerId: string): Piece {
    const tool = textOf(call['name']);
    if (tool === '') return { type: 'broken' };
    const place = this.#calls++;
    const id = textOf(call['id']);
    const value = textOf(part['thoughtSignature']);
    const signature = value === '' ? undefined : { service: this.#service, value };
    return {
      type: 'tool-call',
      id: id === '' ? callId(answerId, place) : id,
      tool,
      input: JSON.stringify(isJsonObject(call['args']) ? call['args'] : {}),
      signature,
      metadata: signature === undefined ? {} : { metadata: toExtraContent(signature) },
    };
  }
}

/** Some models draw. What they sketch while they think is left out. */
function toImage({ inlineData, thought }: JsonObject): Piece | undefined {
  if (!isJsonObject(inlineData) || thought === true) return undefined;
  const mediaType = textOf(inlineData['mimeType']);
  return mediaType.startsWith('image/') ? { type: 'image', mediaType, data: textOf(inlineData['data']) } : undefined;
}

/** Images in the form in which OpenRouter's clients know them; OpenAI has none. */
export function toImageParts(pieces: readonly Piece[]): readonly JsonObject[] {
  return pieces.flatMap((piece) => {
    if (piece.type !== 'image') return [];
    return [{ type: 'image_url', image_url: { url: `data:${piece.mediaType};base64,${piece.data}` } }];
  });
}
