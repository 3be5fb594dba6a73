// A chat request in canonical form: what every client protocol decodes to and every upstream protocol encodes from.

import type { Message, Metadata } from './block.ts';

/** A function that the model may call. */
export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments, as the client gave it. */
  readonly parameters?: unknown;
  readonly strict?: boolean;
  readonly metadata?: Metadata;
}

/** Which tool, if any, must be called. */
export type ToolChoice =
  | { readonly type: 'auto' }
  | { readonly type: 'none' }
  | { readonly type: 'required' }
  | { readonly type: 'tool'; readonly name: string }
  /** Only these of the declared tools, one of which must be called if `required`. */
  | { readonly type: 'allowed'; readonly required: boolean; readonly names: readonly string[] };

/** What the answer's text must be. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'json-schema';
      readonly name: string;
      readonly schema: unknown;
      readonly strict?: boolean;
      readonly description?: string;
      readonly metadata?: Metadata;
    };

/** How much the model is to think before it answers, where the client says so in tokens or as a switch. */
export type Thinking =
  | { readonly type: 'off' }
  /** As much as the model finds right. */
  | { readonly type: 'adaptive' }
  | { readonly type: 'budget'; readonly tokens: number };

/** A request for a chat answer. */
export interface CanonicalRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly stop: readonly string[];
  /** How many answers are wanted side by side; 1 if absent. */
  readonly choiceCount?: number;
  /** Log probabilities of the output are wanted, with so many alternatives for each token. */
  readonly topLogprobs?: number;
  readonly responseFormat?: ResponseFormat;
  /** `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`, where the client says it in words. */
  readonly reasoningEffort?: string;
  readonly thinking?: Thinking;
  /** Who the client asks for, as an opaque name. */
  readonly userId?: string;
  /** The upstream is to be given no signatures: those that there are, it has refused. */
  readonly unsigned?: boolean;
  readonly stream: boolean;
  /** The beginning of the answer, which the client already has: the model is to go on from there. */
  readonly prefill?: string;
  /** Parameters of the client's protocol with no canonical counterpart, under that protocol's name. */
  readonly metadata: Metadata;
}
