// The codec for each kind of server that speaks chat completions.

import type { BodyEdit, UpstreamCodec } from '../protocol.ts';
import { createOpenaiChatUpstreamCodec } from './codec.ts';
import { chatDialects, type ChatDialectName } from './dialect.ts';
import { createChatEdit } from './native-edits.ts';

const codecs = new Map(
  Object.entries(chatDialects).map(([name, dialect]) => [name, createOpenaiChatUpstreamCodec(dialect)]),
);

const edits = new Map(Object.entries(chatDialects).map(([name, dialect]) => [name, createChatEdit(dialect)]));

/** What one kind of server needs changed in bodies that are passed on; OpenAI itself if it is not said. */
export function openaiChatEdit(dialect: string = 'openai' satisfies ChatDialectName): BodyEdit | undefined {
  return edits.get(dialect);
}

/** The codec for one kind of server; OpenAI's own if it is not said. Throws on a name that nobody knows. */
export function openaiChatUpstream(dialect: string = 'openai' satisfies ChatDialectName): UpstreamCodec {
  const codec = codecs.get(dialect);
  if (codec === undefined) throw new Error(`chat completions have no dialect ${dialect}`);
  return codec;
}
