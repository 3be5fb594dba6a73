import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findUnsupported } from '../../../operator/compile/supported.ts';
import { compileLanes } from '../../../proxy/config/lane-compile.ts';
import { type ProviderConfig, type ProviderType, providerTypes } from '../../../proxy/config/schema.ts';
import { upstreamOperation } from '../../../proxy/protocols/operations.ts';
import type { UpstreamOperation } from '../../../proxy/protocols/protocol.ts';
import { providerKind } from '../../../proxy/providers/vendors.ts';
import { protocolIds } from '../../../proxy/protocols/registry.ts';
import { provider } from '../../support/config.ts';

const operations: readonly UpstreamOperation[] = [
  upstreamOperation('openai-chat'),
  upstreamOperation('openai-completions'),
  upstreamOperation('openai-responses'),
  upstreamOperation('openai-embeddings'),
  { protocol: 'relay', path: '/audio/transcriptions' },
];
const paths = ['/chat/completions', '/completions', '/responses', '/embeddings', '/audio/transcriptions'];

/** Vendors that this version does not speak to, and those that have protocols of their own. */
const others: readonly ProviderType[] = ['Gemini', 'VertexAI', 'Bedrock', 'Cohere'];
const foreign: readonly ProviderType[] = [...others, 'Anthropic', 'Ollama'];
const spoken = providerTypes.filter((type) => !foreign.includes(type));

function locate(type: ProviderType, azure?: ProviderConfig['azure'], model: string | undefined = 'gpt-4o') {
  const kind = providerKind(type);
  const config = provider('a', 'https://upstream.example', { type, ...(azure === undefined ? {} : { azure }) });
  const place = { config, basePath: '', model, stream: false };
  return operations.map((operation) => kind?.locate(operation, place));
}

describe('the place of an operation', () => {
  it.each(spoken.filter((type) => type !== 'AzureOpenAI'))('is that of the protocol at %s', (type) => {
    expect(locate(type)).toEqual(paths);
    expect(locate(type, undefined, undefined)).toEqual(paths);
  });

  it.each(others)('is unknown for %s', (type) => {
    expect(providerKind(type)).toBeUndefined();
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
    expect(providerKind(type)?.locate(upstreamOperation(protocol as 'openai-chat'), place)).toBe(path);
  });

  it('keeps a model inside its segment of the path, and a version inside the query, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: 'binary-ascii' }), (model, apiVersion) => {
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
  it.each(providerTypes)('is accepted by the control plane if and only if this version speaks to it: %s', (type) => {
    const isAccepted = findUnsupported('LLMProvider', { spec: { type } }).length === 0;
    expect(isAccepted).toBe(providerKind(type) !== undefined);
  });

  it.each([...spoken, 'Anthropic', 'Ollama'] as const)('can be asked for a chat by every client: %s', (type) => {
    const lanes = compileLanes(providerKind(type)!, 'm');
    for (const protocol of protocolIds) {
      // Vectors are not everybody's, and legacy completions and responses are translated by a later version.
      const isChat = ['openai-chat', 'anthropic-messages', 'ollama-chat', 'ollama-generate'].includes(protocol);
      if (isChat) expect(lanes.of(protocol, 'm')?.type).toMatch(/^(chat|pass-through)$/);
    }
    expect(lanes.of('anthropic-count-tokens', 'm')?.type).toBe(type === 'Anthropic' ? 'pass-through' : 'estimate');
    expect(lanes.of('relay', 'm')).toEqual({ type: 'relay' });
  });

  it.each(spoken)('is shown a credential in its way: %s', (type) => {
    expect(providerKind(type)?.authentication).toBe(type === 'AzureOpenAI' ? 'api-key' : 'bearer');
  });

  it.each(spoken)('is asked for usage unless it reports it unasked: %s', (type) => {
    expect(providerKind(type)?.usageOnRequest).toBe(type !== 'Mistral');
  });
});
