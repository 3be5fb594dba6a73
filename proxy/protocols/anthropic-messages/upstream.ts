// The codec for each kind of server that speaks Anthropic's messages.

import type { UpstreamCodec } from '../protocol.ts';
import { createAnthropicUpstreamCodec } from './codec.ts';
import { type AnthropicDialectName, anthropicDialects } from './dialect.ts';

const codecs = new Map(
  Object.entries(anthropicDialects).map(([name, dialect]) => [name, createAnthropicUpstreamCodec(dialect)]),
);

/** The codec for one kind of server; Anthropic's own if it is not said. Throws on a name that nobody knows. */
export function anthropicMessagesUpstream(dialect: string = 'anthropic' satisfies AnthropicDialectName): UpstreamCodec {
  const codec = codecs.get(dialect);
  if (codec === undefined) throw new Error(`messages have no dialect ${dialect}`);
  return codec;
}
