// The codec for each kind of server that speaks chat completions.

import type { UpstreamCodec } from '../protocol.ts';
import { createOpenaiChatUpstreamCodec } from './codec.ts';
import { chatDialects, type ChatDialectName } from './dialect.ts';

const codecs = new Map(
  Object.entries(chatDialects).map(([name, dialect]) => [name, createOpenaiChatUpstreamCodec(dialect)]),
);

/** The codec for one kind of server; OpenAI's own if it is not said. Throws on a name that nobody knows. */
export function openaiChatUpstream(dialect: string = 'openai' satisfies ChatDialectName): UpstreamCodec {
  const codec = codecs.get(dialect);
  if (codec === undefined) throw new Error(`chat completions have no dialect ${dialect}`);
  return codec;
}
