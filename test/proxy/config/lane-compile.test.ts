import { describe, expect, it } from 'vitest';
import { compileLanes } from '../../../proxy/config/lane-compile.ts';
import type { ModelConfig, ProviderType } from '../../../proxy/config/schema.ts';
import type { Lane } from '../../../proxy/protocols/lane.ts';
import type { ProtocolId } from '../../../proxy/protocols/protocol.ts';
import { protocolOf } from '../../../proxy/protocols/registry.ts';
import { createUpstreamCodecs } from '../../../proxy/protocols/upstream-codecs.ts';
import type { ProviderKind, Spoken } from '../../../proxy/providers/provider-kind.ts';
import { providerKind } from '../../../proxy/providers/vendors.ts';

const codecs = createUpstreamCodecs();

function laneOf(type: ProviderType, protocol: ProtocolId, config?: Partial<ModelConfig>): Lane | undefined {
  const model = { name: 'm', upstreamName: 'm', ...config };
  return compileLanes(providerKind(type), 'm', codecs, model).of(protocol, 'm');
}

function describeLane(lane: Lane | undefined): string {
  if (lane === undefined) return 'none';
  return 'operation' in lane ? `${lane.type} ${lane.operation.protocol}` : lane.type;
}

describe('the lane of a backend', () => {
  it.each<[ProviderType, ProtocolId, string]>([
    ['OpenAI', 'openai-chat', 'pass-through openai-chat'],
    ['OpenAI', 'openai-responses', 'pass-through openai-responses'],
    ['AzureOpenAI', 'openai-responses', 'pass-through openai-responses'],
    ['OpenAI', 'anthropic-messages', 'chat openai-chat'],
    ['OpenAI', 'anthropic-count-tokens', 'estimate'],
    ['OpenAI', 'ollama-generate', 'chat openai-chat'],
    ['OpenAI', 'ollama-embeddings', 'embeddings openai-embeddings'],
    ['VLLM', 'openai-chat', 'pass-through openai-chat'],
    ['Mistral', 'openai-chat', 'chat openai-chat'],
    ['Mistral', 'openai-embeddings', 'embeddings openai-embeddings'],
    ['Anthropic', 'anthropic-messages', 'pass-through anthropic-messages'],
    ['Anthropic', 'anthropic-count-tokens', 'pass-through anthropic-count-tokens'],
    ['Anthropic', 'openai-chat', 'chat anthropic-messages'],
    ['Anthropic', 'openai-embeddings', 'none'],
    ['Anthropic', 'relay', 'relay'],
    ['Gemini', 'openai-chat', 'chat gemini'],
    ['Gemini', 'ollama-embed', 'embeddings gemini-embeddings'],
    ['VertexAI', 'anthropic-messages', 'chat gemini'],
    ['VertexAI', 'anthropic-count-tokens', 'estimate'],
    ['Bedrock', 'openai-responses', 'chat bedrock-converse'],
    ['Bedrock', 'openai-embeddings', 'embeddings bedrock-embeddings'],
    ['Cohere', 'ollama-generate', 'chat cohere'],
    ['Cohere', 'openai-embeddings', 'embeddings cohere-embeddings'],
    ['Ollama', 'ollama-chat', 'pass-through ollama-chat'],
    ['Ollama', 'ollama-embeddings', 'pass-through ollama-embeddings'],
    ['Ollama', 'anthropic-messages', 'chat ollama-chat'],
    ['Ollama', 'openai-embeddings', 'embeddings ollama-embed'],
  ])('of %s for %s is: %s', (type, protocol, lane) => {
    expect(describeLane(laneOf(type, protocol))).toBe(lane);
  });

  it('is as it is where the model is declared to have what others of its vendor have not', () => {
    const lane = laneOf('VLLM', 'openai-responses', { capabilities: ['Responses'] });
    expect(describeLane(lane)).toBe('pass-through openai-responses');
    const translates = protocolOf('openai-responses').chat !== undefined;
    expect(describeLane(laneOf('VLLM', 'openai-responses'))).toBe(
      translates ? 'chat openai-chat' : 'pass-through openai-responses',
    );
  });

  it('has the codec that keeps everything where client and upstream only differ in their dialect', () => {
    const spoken: Spoken = {
      native: new Set(),
      chat: { protocol: 'anthropic-messages', dialect: 'vertex' },
      embeddings: undefined,
    };
    const kind: ProviderKind = { ...providerKind('Anthropic'), speaks: () => spoken };
    const { chat, ownChat } = protocolOf('anthropic-messages');
    expect(compileLanes(kind, 'm', codecs).of('anthropic-messages', 'm')).toMatchObject({
      type: 'chat',
      client: ownChat,
    });
    expect(ownChat).not.toBe(chat);
  });
});

describe('a vendor whose protocol depends on the model', () => {
  const claude: Spoken = {
    native: new Set<ProtocolId>(['anthropic-messages']),
    chat: { protocol: 'anthropic-messages' },
    embeddings: undefined,
  };
  const other: Spoken = { native: new Set<ProtocolId>(), chat: { protocol: 'openai-chat' }, embeddings: undefined };
  const kind: ProviderKind = {
    ...providerKind('OpenAI'),
    speaks: (model) => (model?.startsWith('claude') === true ? claude : other),
  };

  it('is asked by the backend’s model, else by the client’s', () => {
    const fixed = compileLanes(kind, 'claude-x', codecs);
    expect(describeLane(fixed.of('anthropic-messages', 'gpt-4'))).toBe('pass-through anthropic-messages');
    const open = compileLanes(kind, undefined, codecs);
    expect(describeLane(open.of('anthropic-messages', 'claude-x'))).toBe('pass-through anthropic-messages');
    expect(describeLane(open.of('anthropic-messages', 'gemini'))).toBe('chat openai-chat');
    expect(open.of('openai-chat', 'claude-x')).toBe(open.of('openai-chat', 'claude-y'));
  });
});
