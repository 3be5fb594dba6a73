// Requests of clients of chat completions as Anthropic is sent them.

import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { anthropicDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import { encodeRequest } from '../../../../proxy/protocols/anthropic-messages/encode-request.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { EncodedRequest, UpstreamModel } from '../../../../proxy/protocols/protocol.ts';

export const sonnet45 = 'claude-sonnet-4-5-20250929';
export const opus48 = 'claude-opus-4-8';
export const opus5 = 'claude-opus-5';
export const opus55 = 'claude-opus-5-5';
export const sonnet37 = 'claude-3-7-sonnet-20250219';

export const hi = { role: 'user', content: 'hi' };
export const weather = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: {} } },
};

/** A request of a client. */
export function request(body: object): CanonicalRequest {
  const whole = { model: sonnet45, messages: [hi], ...body };
  return openaiChatClientCodec.decodeRequest(Buffer.from(JSON.stringify(whole)));
}

/** What Anthropic is sent, and what of it was left out. */
export function encode(
  body: object,
  model?: UpstreamModel,
): Record<string, unknown> & { dropped: EncodedRequest['dropped'] } {
  const { body: bytes, dropped } = encodeRequest(request(body), anthropicDialect, model);
  return { ...(JSON.parse(bytes.toString()) as Record<string, unknown>), dropped };
}
