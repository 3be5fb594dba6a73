// Requests as they go out, past the strict server.

import type { Message } from '../../../../proxy/canonical/block.ts';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { createGeminiUpstreams } from '../../../../proxy/protocols/gemini/codec.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { UpstreamModel } from '../../../../proxy/protocols/protocol.ts';
import { RefusedParameter } from '../../../../proxy/protocols/refused-parameter.ts';
import { checkRequest } from './strict-server.ts';

export const upstreams = createGeminiUpstreams();

function generationOf(model: string): 'old' | '2.5' | '3' {
  if (model.includes('gemini-3')) return '3';
  return model.includes('2.5') ? '2.5' : 'old';
}

export interface Written {
  readonly wire: Record<string, unknown>;
  readonly dropped: readonly unknown[];
}

/** Writes a request as it would go out, past the strict server. */
export function write(
  request: Partial<CanonicalRequest>,
  service: 'gemini' | 'vertex' = 'gemini',
  config?: UpstreamModel,
): Written {
  const asked = {
    model: 'gemini-2.5-flash',
    messages: say('hi'),
    tools: [],
    stop: [],
    stream: false,
    metadata: {},
    ...request,
  };
  const { body, dropped } = upstreams(service).encodeRequest(asked, config);
  const wire = JSON.parse(body.toString()) as Record<string, unknown>;
  checkRequest(wire, generationOf(asked.model), service);
  return { wire, dropped };
}

/** The same of what a client of OpenAI's sends. */
export function writeChat(body: object, model = 'gemini-2.5-flash'): Written {
  const asked = { messages: [{ role: 'user', content: 'hi' }], model, ...body };
  return write(openaiChatClientCodec.decodeRequest(Buffer.from(JSON.stringify(asked))));
}

/** One message of the user's. */
export function say(text: string): readonly Message[] {
  return [{ role: 'user', content: [{ type: 'text', text }] }];
}

/** Why a request is refused. */
export function refusalOf(request: Partial<CanonicalRequest>): string {
  try {
    write(request);
  } catch (error) {
    if (error instanceof RefusedParameter) return `${error.parameter} ${error.why}`;
    throw error;
  }
  throw new Error('was not refused');
}
