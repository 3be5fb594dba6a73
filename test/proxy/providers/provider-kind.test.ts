import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findUnsupported } from '../../../operator/compile/supported.ts';
import { compileLanes } from '../../../proxy/config/lane-compile.ts';
import { type ProviderConfig, type ProviderType, providerTypes } from '../../../proxy/config/schema.ts';
import { upstreamOperation } from '../../../proxy/protocols/operations.ts';
import type { UpstreamOperation } from '../../../proxy/protocols/protocol.ts';
import { providerKind } from '../../../proxy/providers/vendors.ts';
import { protocolIds } from '../../../proxy/protocols/registry.ts';
import { createUpstreamCodecs } from '../../../proxy/protocols/upstream-codecs.ts';
import { provider } from '../../support/config.ts';

const codecs = createUpstreamCodecs();

const operations: readonly UpstreamOperation[] = [
  upstreamOperation('openai-chat'),
  upstreamOperation('openai-completions'),
  upstreamOperation('openai-responses'),
  upstreamOperation('openai-embeddings'),
  { protocol: 'relay', path: '/audio/transcriptions' },
];
const paths = ['/chat/completions', '/completions', '/responses', '/embeddings', '/audio/transcriptions'];

/** Vendors that have protocols of their own. */
const foreign: readonly ProviderType[] = ['Gemini', 'VertexAI', 'Bedrock', 'Cohere', 'Anthropic', 'Ollama'];
const spoken = providerTypes.filter((type) => !foreign.includes(type));

function locate(type: ProviderType, azure?: ProviderConfig['azure'], model: string | undefined = 'gpt-4o') {
  const kind = providerKind(type);
  const config = provider('a', 'https://upstream.example', { type, ...(azure === undefined ? {} : { azure }) });
  const place = { config, basePath: '', model, stream: false };
  return operations.map((operation) => kind.locate(operation, place));
}

describe('the place of an operation', () => {
  it.each(spoken.filter((type) => type !== 'AzureOpenAI'))('is that of the protocol at %s', (type) => {
    expect(locate(type)).toEqual(paths);
    expect(locate(type, undefined, undefined)).toEqual(paths);
  });

  it('is that of the protocol at Azure too, unless a version or a deployment is asked for', () => {
    for (const azure of [
      undefined,
      {},
      { resource: 'r' },
      { deploymentPath: 'V1' },
      { deploymentPath: 'V1', apiVersion: '2024-10-21' },
    ]) {
      expect(locate('AzureOpenAI', azure)).toEqual(paths);
    }
  });

  it('names the model and the version where Azure has deployments, but for responses', () => {
    const version = '?api-version=2025-04-01-preview';
    for (const azure of [
      { apiVersion: '2025-04-01-preview' },
      { apiVersion: '2025-04-01-preview', deploymentPath: 'Deployment' },
    ]) {
      expect(locate('AzureOpenAI', azure)).toEqual([
        `/deployments/gpt-4o/chat/completions${version}`,
        `/deployments/gpt-4o/completions${version}`,
        `/responses${version}`,
        `/deployments/gpt-4o/embeddings${version}`,
        `/deployments/gpt-4o/audio/transcriptions${version}`,
      ]);
      expect(locate('AzureOpenAI', azure, undefined)).not.toContain(`/deployments/undefined/embeddings${version}`);
    }
    expect(locate('AzureOpenAI', { deploymentPath: 'Deployment' })[0]).toBe(
      '/deployments/gpt-4o/chat/completions?api-version=2024-10-21',
    );
  });

  it.each<[ProviderType, UpstreamOperation['protocol'], string, string]>([
    ['OpenAI', 'openai-chat', '/v1', '/v1/chat/completions'],
    ['Anthropic', 'anthropic-messages', '', '/v1/messages'],
    ['Anthropic', 'anthropic-messages', '/v1', '/v1/messages'],
    ['Anthropic', 'anthropic-count-tokens', '/anthropic', '/anthropic/v1/messages/count_tokens'],
    ['Ollama', 'ollama-chat', '', '/api/chat'],
    ['Ollama', 'ollama-embed', '/api', '/api/embed'],
    ['Ollama', 'ollama-generate', '/ollama', '/ollama/api/generate'],
  ])('of %s for %s is below a base with %j: %s', (type, protocol, basePath, path) => {
    const place = { config: provider('a', 'https://upstream.example'), basePath, model: 'm', stream: true };
    expect(providerKind(type).locate(upstreamOperation(protocol as 'openai-chat'), place)).toBe(path);
  });

  it.each<[ProviderType, UpstreamOperation['protocol'], string, boolean, string]>([
    ['Gemini', 'gemini', 'gemini-2.5-pro', false, '/v1beta/models/gemini-2.5-pro:generateContent'],
    ['Gemini', 'gemini', 'models/gemini-2.5-pro', true, '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse'],
    ['Gemini', 'gemini', 'tunedModels/mine', false, '/v1beta/tunedModels/mine:generateContent'],
    ['Gemini', 'gemini', 'a/b:c', false, '/v1beta/models/a%2Fb%3Ac:generateContent'],
    [
      'Gemini',
      'gemini-embeddings',
      'gemini-embedding-001',
      false,
      '/v1beta/models/gemini-embedding-001:batchEmbedContents',
    ],
    [
      'VertexAI',
      'gemini',
      'gemini-3-pro',
      true,
      '/publishers/google/models/gemini-3-pro:streamGenerateContent?alt=sse',
    ],
    ['VertexAI', 'gemini', 'endpoints/123', false, '/endpoints/123:generateContent'],
    ['VertexAI', 'gemini', 'publishers/meta/models/llama', false, '/publishers/meta/models/llama:generateContent'],
    [
      'VertexAI',
      'gemini-embeddings',
      'text-embedding-005',
      false,
      '/publishers/google/models/text-embedding-005:predict',
    ],
    [
      'VertexAI',
      'anthropic-messages',
      'claude-sonnet-4@20250514',
      false,
      '/publishers/anthropic/models/claude-sonnet-4@20250514:rawPredict',
    ],
    [
      'VertexAI',
      'anthropic-messages',
      'claude-opus-4-5',
      true,
      '/publishers/anthropic/models/claude-opus-4-5:streamRawPredict',
    ],
    [
      'VertexAI',
      'anthropic-count-tokens',
      'claude-opus-4-5',
      false,
      '/publishers/anthropic/models/count-tokens:rawPredict',
    ],
    ['Bedrock', 'bedrock-converse', 'amazon.nova-pro-v1:0', false, '/model/amazon.nova-pro-v1%3A0/converse'],
    [
      'Bedrock',
      'bedrock-converse',
      'arn:aws:bedrock:eu-central-1:1:inference-profile/x',
      true,
      '/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Ainference-profile%2Fx/converse-stream',
    ],
    [
      'Bedrock',
      'bedrock-embeddings',
      'amazon.titan-embed-text-v2:0',
      false,
      '/model/amazon.titan-embed-text-v2%3A0/invoke',
    ],
    ['Cohere', 'cohere', 'command-a', true, '/v2/chat'],
    ['Cohere', 'cohere-embeddings', 'embed-v4.0', false, '/v2/embed'],
  ])('of %s for %s has the model %s in it (streamed: %s): %s', (type, protocol, model, stream, path) => {
    const place = { config: provider('a', 'https://upstream.example'), basePath: '/base', model, stream };
    expect(providerKind(type).locate({ protocol, path: '' }, place)).toBe(`/base${path}`);
  });

  it.each<[ProviderType, string, string, string]>([
    ['Gemini', '', '/models', '/v1beta/models'],
    ['Gemini', '', '/v1alpha/models/m:countTokens', '/v1alpha/models/m:countTokens'],
    ['Gemini', '/v1beta', '/v1beta/models', '/v1beta/models'],
    [
      'VertexAI',
      '/v1/projects/p/locations/l',
      '/publishers/google/models/m:countTokens',
      '/v1/projects/p/locations/l/publishers/google/models/m:countTokens',
    ],
    ['Bedrock', '', '/model/m/count-tokens', '/model/m/count-tokens'],
    ['Cohere', '', '/v2/rerank', '/v2/rerank'],
    ['Cohere', '', '/rerank', '/v1/rerank'],
  ])('of %s that nobody knows is below a base with %j: %s is %s', (type, basePath, path, located) => {
    const place = { config: provider('a', 'https://upstream.example'), basePath, model: undefined, stream: false };
    expect(providerKind(type).locate({ protocol: 'relay', path }, place)).toBe(located);
  });

  it.each<[ProviderType, UpstreamOperation['protocol']]>([
    ['Gemini', 'gemini'],
    ['VertexAI', 'gemini'],
    ['VertexAI', 'anthropic-messages'],
    ['Bedrock', 'bedrock-converse'],
    ['Bedrock', 'bedrock-embeddings'],
  ])('of %s for %s cannot be left by the name of a model', (type, protocol) => {
    const at = (model: string | undefined): string =>
      providerKind(type).locate(
        { protocol, path: '' },
        { config: provider('a', 'https://upstream.example'), basePath: '/base', model, stream: false },
      );
    for (const model of ['', '.', '..', '\ud800']) expect(() => at(model)).toThrow();
    expect(() => at(undefined)).toThrow();
    const segments = at('m').split('/').length;
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', minLength: 1 }), (name) => {
        fc.pre(name !== '.' && name !== '..');
        const path = at(`${name}x`);
        expect(path).toMatch(/^[\x21-\x7e]+$/);
        expect(path).not.toMatch(/[?#]|\/\.\.?\//);
        expect(path.split('/')).toHaveLength(segments);
      }),
    );
  });

  it('keeps a model inside its segment of the path, and a version inside the query, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: 'binary-ascii' }), (name, apiVersion) => {
        const model = `${name}x`;
        const [chat = ''] = locate('AzureOpenAI', { apiVersion, deploymentPath: 'Deployment' }, model);
        const [path = '', query = '', ...more] = chat.split('?');
        expect(more).toEqual([]);
        expect(path.split('/')).toHaveLength(5);
        expect(decodeURIComponent(path.split('/')[2] ?? '')).toBe(model);
        expect([...new URLSearchParams(query)]).toEqual([['api-version', apiVersion]]);
        expect(chat).toMatch(/^[\x21-\x7e]+$/);
      }),
    );
  });
});

describe('a vendor', () => {
  it.each(providerTypes)('is accepted by the control plane, as this version speaks to it: %s', (type) => {
    expect(findUnsupported('LLMProvider', { spec: { type } })).toEqual([]);
    expect(providerKind(type)).toBeDefined();
  });

  it.each(providerTypes)('can be asked for a chat by every client: %s', (type) => {
    const lanes = compileLanes(providerKind(type), 'm', codecs);
    for (const protocol of protocolIds) {
      // Vectors are not everybody's, and legacy completions and responses are translated by a later version.
      const isChat = ['openai-chat', 'anthropic-messages', 'ollama-chat', 'ollama-generate'].includes(protocol);
      if (isChat) expect(lanes.of(protocol, 'm')?.type).toMatch(/^(chat|pass-through)$/);
    }
    expect(lanes.of('anthropic-count-tokens', 'm')?.type).toBe(type === 'Anthropic' ? 'pass-through' : 'estimate');
    expect(lanes.of('relay', 'm')).toEqual({ type: 'relay' });
  });

  it.each(spoken)('is shown a credential in its way: %s', (type) => {
    expect(providerKind(type).authentication).toBe(type === 'AzureOpenAI' ? 'api-key' : 'bearer');
  });

  it.each<[ProviderType, string]>([
    ['Gemini', 'x-goog-api-key'],
    ['VertexAI', 'signature'],
    ['Bedrock', 'signature'],
    ['Cohere', 'bearer'],
  ])('of those with a protocol of their own too: %s', (type, authentication) => {
    expect(providerKind(type).authentication).toBe(authentication);
    expect(providerKind(type).sign !== undefined).toBe(authentication === 'signature');
  });

  it.each<[ProviderType, string, object | undefined]>([
    ['VertexAI', 'gemini-embedding-001', { protocol: 'gemini-embeddings', dialect: 'vertex-single' }],
    ['VertexAI', 'text-embedding-005', { protocol: 'gemini-embeddings', dialect: 'vertex' }],
    ['VertexAI', 'claude-opus-4-5', undefined],
    ['Bedrock', 'amazon.titan-embed-text-v2:0', { protocol: 'bedrock-embeddings', dialect: 'titan' }],
    ['Bedrock', 'amazon.nova-2-multimodal-embeddings-v1:0', { protocol: 'bedrock-embeddings', dialect: 'nova' }],
    ['Bedrock', 'eu.cohere.embed-v4:0', { protocol: 'bedrock-embeddings', dialect: 'cohere' }],
  ])('of several is asked for vectors as its model %s wants it: %s', (type, model, embeddings) => {
    const { speaks } = providerKind(type);
    expect(speaks(model).embeddings).toEqual(embeddings);
    // The same object each time: lanes are compiled once for each.
    expect(speaks(model)).toBe(speaks(model));
  });

  it.each(spoken)('is asked for usage unless it reports it unasked: %s', (type) => {
    expect(providerKind(type).usageOnRequest).toBe(type !== 'Mistral');
  });
});
