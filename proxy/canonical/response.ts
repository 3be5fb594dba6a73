// An answer in canonical form, whole or as stream parts.

import type { Block, Metadata } from './block.ts';
import type { Failure } from './failure.ts';
import type { Usage } from './usage.ts';

/** Why the model stopped. */
export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'refusal' | 'stop-sequence' | 'other';

/** A whole answer. */
export interface CanonicalResponse {
  readonly id: string;
  readonly model: string;
  /** Unix seconds; absent where the upstream does not say. */
  readonly createdAt?: number;
  readonly content: readonly Block[];
  readonly finish: FinishReason;
  readonly usage?: Usage;
  readonly metadata: Metadata;
}

/** What a block that is being streamed will be. */
export type BlockStart =
  | { readonly type: 'text' }
  | { readonly type: 'thinking' }
  | { readonly type: 'refusal' }
  | { readonly type: 'tool-call'; readonly id: string; readonly tool: string };

/** One unit of a streamed answer. Blocks are numbered from 0 in the order in which they start. */
export type StreamPart =
  | {
      readonly type: 'start';
      readonly id: string;
      readonly model: string;
      readonly createdAt?: number;
      readonly metadata?: Metadata;
    }
  | { readonly type: 'block-start'; readonly index: number; readonly block: BlockStart; readonly metadata?: Metadata }
  | { readonly type: 'delta'; readonly index: number; readonly text: string; readonly metadata?: Metadata }
  | { readonly type: 'block-end'; readonly index: number; readonly signature?: string; readonly metadata?: Metadata }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage?: Usage; readonly metadata?: Metadata }
  | { readonly type: 'error'; readonly failure: Failure };
