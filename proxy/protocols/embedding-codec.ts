// The translating lane of embeddings: the two faces of a protocol that has vectors for answers. Beside those for chat in
// protocol.ts, and simpler, because nothing is streamed.

import type { EmbeddingRequest, EmbeddingResponse, VectorEncoding } from '../canonical/embedding.ts';
import type { FailureSignal, SignalHeaders } from '../canonical/failure.ts';
import type { EncodedRequest } from './protocol.ts';

/** What writing an answer needs beside the answer. */
export interface EmbeddingAnswerContext {
  /** For answers whose upstream names no model. */
  readonly model: string;
  /** The request's. */
  readonly encoding: VectorEncoding;
  /** Milliseconds since the request came, for protocols that tell. */
  readonly elapsedMs: number;
  /** The tokens of the request, for upstreams that do not count them. */
  readonly estimateTokens?: () => number;
}

/** Client face: canonical ↔ this protocol's wire form. */
export interface EmbeddingClientCodec {
  /**
   * Throws ClientError `invalid_request` naming the member that cannot be understood. A request without inputs wants
   * nothing of any upstream, and has an answer without vectors.
   */
  decodeRequest(body: Buffer): EmbeddingRequest;
  encodeResponse(response: EmbeddingResponse, context: EmbeddingAnswerContext): Buffer;
  /** What this protocol calls a parameter of the canonical request: `output_dimension`. */
  nameParameter(canonical: string): string;
}

/** Upstream face. */
export interface EmbeddingUpstreamCodec {
  /** The most inputs of one request: what has more goes in several (embedding-batches.ts). */
  readonly inputsMax: number;
  /** Throws ClientError `invalid_request` naming what cannot be said in this protocol. */
  encodeRequest(request: EmbeddingRequest): EncodedRequest;
  /** An answer to a request of so many inputs, or why it is none. */
  decodeResponse(body: Buffer, inputs: number, headers?: SignalHeaders): DecodedEmbeddings;
}

/** An answer that was decoded. */
export type DecodedEmbeddings =
  | { readonly type: 'response'; readonly response: EmbeddingResponse }
  | { readonly type: 'invalid'; readonly signal: FailureSignal };
