// Requests on their way between wire and canonical form.

import type { Message } from '../../../../proxy/canonical/block.ts';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { ollamaChatClientCodec, ollamaChatUpstreamCodec } from '../../../../proxy/protocols/ollama/chat/codec.ts';

export type Wire = Record<string, unknown>;

export const ask = Object.freeze({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

export function decode(body: unknown): CanonicalRequest {
  return ollamaChatClientCodec.decodeRequest(Buffer.from(JSON.stringify(body)));
}

export function encode(request: CanonicalRequest): Wire {
  return JSON.parse(ollamaChatUpstreamCodec.encodeRequest(request).body.toString()) as Wire;
}

/** A request for nothing in particular. */
export function request(members: Partial<CanonicalRequest> = {}): CanonicalRequest {
  const hi: Message = { role: 'user', content: [{ type: 'text', text: 'hi' }] };
  return { model: 'm', messages: [hi], tools: [], stop: [], stream: false, metadata: {}, ...members };
}
