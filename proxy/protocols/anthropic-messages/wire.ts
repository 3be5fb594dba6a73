// What Anthropic's messages look like on the wire, as far as Sluice reads them.
// https://platform.claude.com/docs/en/api/messages

import type { Metadata } from '../../canonical/block.ts';
import type { MemberReader } from '../member-reader.ts';
import type { JsonObject } from '../openai/wire.ts';

/** The name under which canonical metadata keeps what only this protocol knows. */
export const anthropic = 'anthropic-messages';

/** What canonical metadata keeps for this protocol. */
export function kept(of: { readonly metadata?: Metadata }): JsonObject {
  return of.metadata?.[anthropic] ?? {};
}

/** Members to keep for this protocol, as a member to spread; nothing if there are none. */
export function keepOwn(members: JsonObject): { readonly metadata?: Metadata } {
  return Object.keys(members).length === 0 ? {} : { metadata: { [anthropic]: members } };
}

/** Names in our metadata that mean something to our encoders: nobody else may write them. */
const reserved = ['wire', 'delta', 'hosted_tools'] as const;

/** What a client said that nobody has read, to be kept for this protocol; undefined if that is nothing. */
export function unread(reader: MemberReader): JsonObject | undefined {
  for (const name of reserved) reader.any(name);
  return reader.rest();
}

/** The same as a member to spread. */
export function keepUnread(reader: MemberReader): { readonly metadata?: Metadata } {
  return keepOwn(unread(reader) ?? {});
}

/** A beginning or an end by its name: what it is of, and of which block. */
export function eventName({ type, index = '' }: JsonObject): string {
  return `${String(type)} ${String(index)}`;
}

/** One event of a stream. Official clients overlook events without a name. */
export function encodeEvent(event: JsonObject & { readonly type: string }): string {
  return encodeFrame(event.type, JSON.stringify(event));
}

/** The same of JSON text. */
export function encodeFrame(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}

/**
 * The tool that stands in for a response format where the model has none. A name that no client gives to a tool of its
 * own: that is how its call is told apart in an answer, which does not say what was asked.
 */
export const jsonTool = 'sluice_json';
