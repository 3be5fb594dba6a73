// The canonical model: ordered content blocks. Richer than any one protocol, so that block order, signatures and
// metadata of one survive the way to another.

/** Facts that only one protocol knows, kept under its name and given back to the same protocol. */
export type Metadata = { readonly [protocol: string]: { readonly [name: string]: unknown } };

/** Bytes or a place to get them from. */
export type Source =
  | { readonly type: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'file'; readonly id: string };

/** One piece of a message's content. */
export type Block =
  | { readonly type: 'text'; readonly text: string; readonly metadata?: Metadata }
  | { readonly type: 'thinking'; readonly text: string; readonly signature?: string; readonly metadata?: Metadata }
  | { readonly type: 'redacted-thinking'; readonly data: string; readonly metadata?: Metadata }
  | { readonly type: 'image'; readonly source: Source; readonly metadata?: Metadata }
  | { readonly type: 'document'; readonly source: Source; readonly title?: string; readonly metadata?: Metadata }
  | { readonly type: 'audio'; readonly format: string; readonly data: string; readonly metadata?: Metadata }
  /** `input` is the JSON text of the arguments, exactly as the model wrote it. */
  | {
      readonly type: 'tool-call';
      readonly id: string;
      readonly tool: string;
      readonly input: string;
      readonly metadata?: Metadata;
    }
  | {
      readonly type: 'tool-result';
      readonly callId: string;
      readonly content: readonly Block[];
      readonly isError?: boolean;
      readonly metadata?: Metadata;
    }
  | { readonly type: 'refusal'; readonly text: string; readonly metadata?: Metadata };

/** Who says something. System and developer turns keep their place among the others. */
export type Role = 'system' | 'developer' | 'user' | 'assistant' | 'tool';

/** One turn of a conversation. */
export interface Message {
  readonly role: Role;
  readonly name?: string;
  readonly content: readonly Block[];
  readonly metadata?: Metadata;
}
