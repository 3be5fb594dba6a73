// An answer in canonical form, whole or as stream parts.

import type { Block, Metadata } from './block.ts';
import type { FailureSignal } from './failure.ts';
import type { Usage } from './usage.ts';

/** Why the model stopped. */
export type FinishReason =
  | 'stop'
  | 'stop-sequence'
  | 'tool-calls'
  /** The most output tokens that were asked for, or allowed. */
  | 'length'
  /** The whole context of the model is full. */
  | 'context-window'
  /** The vendor took something out, or let nothing through. */
  | 'content-filter'
  /** The model itself refused. */
  | 'refusal'
  /** The vendor paused a long turn; the client may let it go on. */
  | 'pause'
  | 'other';

/** A whole answer. */
export interface CanonicalResponse {
  readonly id: string;
  readonly model: string;
  /** Unix seconds; absent where the upstream does not say. */
  readonly createdAt?: number;
  readonly content: readonly Block[];
  readonly finish: FinishReason;
  /** Which stop sequence it was, where the upstream says so. */
  readonly stopSequence?: string;
  readonly usage?: Usage;
  readonly metadata: Metadata;
  /** Further answers to the same request, where several were asked for. Streams have none. */
  readonly alternatives?: readonly Alternative[];
}

/** One of several answers to a request. */
export type Alternative = Pick<CanonicalResponse, 'content' | 'finish' | 'metadata'>;

/** What a block that is being streamed will be. */
export type BlockStart =
  | { readonly type: 'text' }
  | { readonly type: 'thinking' }
  | { readonly type: 'refusal' }
  /** Comes whole, without deltas. */
  | { readonly type: 'redacted-thinking'; readonly data: string }
  | { readonly type: 'tool-call'; readonly id: string; readonly tool: string }
  /** What a vendor does by itself: only its own protocol has a form for it, which the metadata keeps. */
  | { readonly type: 'carried' };

/**
 * One unit of a streamed answer. Blocks are numbered from 0 in the order in which they start. Text, thinking and refusal
 * come one after the other; tool calls may be open side by side, and a protocol that cannot say so holds them back.
 */
export type StreamPart =
  | {
      readonly type: 'start';
      readonly id: string;
      readonly model: string;
      readonly createdAt?: number;
      /** As far as it is known before the first content. */
      readonly usage?: Usage;
      readonly metadata?: Metadata;
    }
  | { readonly type: 'block-start'; readonly index: number; readonly block: BlockStart; readonly metadata?: Metadata }
  | { readonly type: 'delta'; readonly index: number; readonly text: string; readonly metadata?: Metadata }
  | { readonly type: 'block-end'; readonly index: number; readonly signature?: string; readonly metadata?: Metadata }
  | {
      readonly type: 'finish';
      readonly reason: FinishReason;
      readonly stopSequence?: string;
      readonly usage?: Usage;
      readonly metadata?: Metadata;
    }
  | { readonly type: 'error'; readonly signal: FailureSignal };

/** The stream part of one type. */
export type StreamPartOf<Type extends StreamPart['type']> = Extract<StreamPart, { readonly type: Type }>;
