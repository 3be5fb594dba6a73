// Requests for vectors and their answers in canonical form, beside those for chat: texts in, numbers out, nothing
// streamed.

import type { Metadata } from './block.ts';
import type { Usage } from './usage.ts';

/** One input, which becomes one vector. Tokens mean something only to the vendor whose tokenizer made them. */
export type EmbeddingInput =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tokens'; readonly tokens: readonly number[] };

/** How a client wants vectors written: as lists of numbers, or as little-endian 32-bit floats in base64. */
export type VectorEncoding = 'float' | 'base64';

/** A request for vectors. */
export interface EmbeddingRequest {
  readonly model: string;
  readonly inputs: readonly EmbeddingInput[];
  readonly dimensions?: number;
  /** A matter between the client and us: upstreams are asked for what we read best. */
  readonly encoding: VectorEncoding;
  /** What the vectors are for, in the client's own words: `search_query`, `query`, `passage`. */
  readonly inputType?: string;
  /** Whether an input that is too long is to be cut; an error if false. */
  readonly truncate?: boolean;
  /** Who the client asks for, as an opaque name. */
  readonly userId?: string;
  readonly metadata: Metadata;
}

/** One vector. */
export type Vector = readonly number[];

/** An answer with one vector for each input, in their order. */
export interface EmbeddingResponse {
  readonly model: string;
  readonly vectors: readonly Vector[];
  readonly usage?: Usage;
  readonly metadata: Metadata;
}
