// Vendors that speak OpenAI's protocols.

import type { ProtocolId } from '../protocols/protocol.ts';
import { modelSegment } from './location.ts';
import type { ProviderKind, Spoken } from './provider-kind.ts';

const spoken: Spoken = {
  native: new Set<ProtocolId>(['openai-chat', 'openai-completions', 'openai-responses', 'openai-embeddings']),
  chat: { protocol: 'openai-chat', dialect: 'openai' },
  embeddings: { protocol: 'openai-embeddings', dialect: 'openai' },
};

/** OpenAI itself. */
export const openai: ProviderKind = {
  authentication: 'bearer',
  usageOnRequest: true,
  speaks: () => spoken,
  locate: ({ path }, { basePath }) => basePath + path,
};

const spokenByOthers: Spoken = {
  native: new Set<ProtocolId>(['openai-chat', 'openai-completions', 'openai-embeddings']),
  declared: { 'openai-responses': 'Responses' },
  tolerated: new Set<ProtocolId>(['openai-responses']),
  chat: { protocol: 'openai-chat', dialect: 'compatible' },
  embeddings: { protocol: 'openai-embeddings', dialect: 'compatible' },
};

/** Servers that do as OpenAI does. */
export const compatible: ProviderKind = { ...openai, speaks: () => spokenByOthers };

const spokenByDeepseek: Spoken = { ...spokenByOthers, chat: { protocol: 'openai-chat', dialect: 'deepseek' } };

/** https://api-docs.deepseek.com/ */
export const deepseek: ProviderKind = { ...compatible, speaks: () => spokenByDeepseek };

const spokenByVllm: Spoken = { ...spokenByOthers, chat: { protocol: 'openai-chat', dialect: 'vllm' } };

/** https://docs.vllm.ai/en/latest/serving/openai_compatible_server/ */
export const vllm: ProviderKind = { ...compatible, speaks: () => spokenByVllm };

/**
 * Mistral's chats look like OpenAI's and are not: content that is a list, ids of its own form, other names. What looks
 * the same is only taken as it is while it cannot be translated. https://docs.mistral.ai/api/
 */
const spokenByMistral: Spoken = {
  native: new Set<ProtocolId>(),
  tolerated: new Set<ProtocolId>(['openai-completions', 'openai-embeddings', 'openai-responses']),
  chat: { protocol: 'openai-chat', dialect: 'mistral' },
  embeddings: { protocol: 'openai-embeddings', dialect: 'mistral' },
};

/** Mistral reports usage in every stream and refuses unknown members. */
export const mistral: ProviderKind = { ...openai, usageOnRequest: false, speaks: () => spokenByMistral };

/**
 * Azure has two ways: the v1 API (default), which is OpenAI's own, and deployments, where the path names the model.
 * https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 */
export const azure: ProviderKind = {
  ...openai,
  authentication: 'api-key',
  locate({ path, protocol }, { config, basePath, model }) {
    const { apiVersion, deploymentPath } = config.azure ?? {};
    const byDeployment = deploymentPath === 'Deployment' || (deploymentPath === undefined && apiVersion !== undefined);
    if (!byDeployment) return basePath + path;
    const version = `?api-version=${encodeURIComponent(apiVersion ?? '2024-10-21')}`;
    if (protocol === 'openai-responses' || model === undefined) return `${basePath}${path}${version}`;
    return `${basePath}/deployments/${modelSegment(model)}${path}${version}`;
  },
};
