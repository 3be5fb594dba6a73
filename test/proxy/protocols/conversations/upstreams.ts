// Every codec towards upstreams, each with the vendor that it speaks to.

import { bedrockConverseUpstreamCodec } from '../../../../proxy/protocols/bedrock-converse/codec.ts';
import { cohereUpstreamCodec } from '../../../../proxy/protocols/cohere/codec.ts';
import { createGeminiUpstreamCodec } from '../../../../proxy/protocols/gemini/codec.ts';
import { geminiDialect, vertexDialect } from '../../../../proxy/protocols/gemini/dialect.ts';
import { createSignatureMemory } from '../../../../proxy/protocols/gemini/signature-memory.ts';
import type { UpstreamCodec } from '../../../../proxy/protocols/protocol.ts';
import { createUpstreamCodecs } from '../../../../proxy/protocols/upstream-codecs.ts';
import type { UpstreamRequest } from '../../../support/upstream.ts';
import type { Json, Vendor } from '../../../support/vendors/vendor.ts';
import { vendors } from '../../../support/vendors/vendors.ts';

/** One of them. */
export interface Upstream {
  readonly name: string;
  readonly vendor: Vendor;
  readonly codec: UpstreamCodec;
  /** Makes an id of a call as the vendor does. */
  readonly callId: (number: number) => string;
  /** Whether calls have ids there that the vendor hears again. */
  readonly hearsIds: boolean;
}

type Speech = Pick<Upstream, 'codec' | 'callId' | 'hearsIds'> & {
  readonly path: (model: string, stream: boolean) => string;
};

const codecs = createUpstreamCodecs();

function registered(protocol: 'openai-chat' | 'anthropic-messages' | 'ollama-chat', dialect?: string): UpstreamCodec {
  const codec = codecs.chat(dialect === undefined ? { protocol } : { protocol, dialect });
  if (codec === undefined) throw new Error(`${protocol} has no codec`);
  return codec;
}

const padded = (number: number, length: number): string => String(number).padStart(length, '0');
const chatPath = (): string => '/v1/chat/completions';
const openaiId = (number: number): string => `call_${padded(number, 24)}`;

const google = (service: typeof geminiDialect): Speech => ({
  codec: createGeminiUpstreamCodec(service, createSignatureMemory()),
  callId: () => '',
  hearsIds: false,
  path: (model, stream) => `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
});

const speeches: { readonly [vendor: string]: Speech } = {
  OpenAI: { codec: registered('openai-chat', 'openai'), callId: openaiId, hearsIds: true, path: chatPath },
  OpenAICompatible: {
    codec: registered('openai-chat', 'compatible'),
    callId: (number) => `chatcmpl-tool-${number}`,
    hearsIds: true,
    path: chatPath,
  },
  DeepSeek: {
    codec: registered('openai-chat', 'deepseek'),
    callId: (number) => `call_${number}_x-y`,
    hearsIds: true,
    path: chatPath,
  },
  Mistral: {
    codec: registered('openai-chat', 'mistral'),
    callId: (number) => `mis${padded(number, 6)}`,
    hearsIds: true,
    path: chatPath,
  },
  Anthropic: {
    codec: registered('anthropic-messages', 'anthropic'),
    callId: (number) => `toolu_${padded(number, 24)}`,
    hearsIds: true,
    path: () => '/v1/messages',
  },
  Ollama: { codec: registered('ollama-chat'), callId: () => '', hearsIds: false, path: () => '/api/chat' },
  Gemini: google(geminiDialect),
  VertexAI: google(vertexDialect),
  Bedrock: {
    codec: bedrockConverseUpstreamCodec,
    callId: (number) => `tooluse_${padded(number, 22)}`,
    hearsIds: true,
    path: (model, stream) => `/model/${encodeURIComponent(model)}/converse${stream ? '-stream' : ''}`,
  },
  Cohere: {
    codec: cohereUpstreamCodec,
    callId: (number) => `tool_${padded(number, 12)}`,
    hearsIds: true,
    path: () => '/v2/chat',
  },
};

/** All of them. */
export const upstreams: readonly Upstream[] = vendors.flatMap((vendor) => {
  const speech = speeches[vendor.name];
  return speech === undefined ? [] : [{ name: vendor.name, vendor, ...speech }];
});

/** A request as it would come to the vendor. */
export function requestTo({ vendor }: Upstream, body: Buffer, stream: boolean): UpstreamRequest {
  const path = speeches[vendor.name]?.path(vendor.model, stream) ?? '';
  const json = JSON.parse(body.toString()) as Json;
  const headers = { 'anthropic-version': '2023-06-01' };
  return { number: 1, method: 'POST', target: path, headers, json, body } as unknown as UpstreamRequest;
}
