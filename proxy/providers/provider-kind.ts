// What is special about each vendor that speaks the OpenAI protocol: where operations live, and how it is authenticated.
// Data, not code paths: adding a vendor is adding an entry.

import { ClientError } from '../canonical/client-error.ts';
import type { ProviderConfig, ProviderType } from '../config/schema.ts';
import type { ProtocolId } from '../protocols/protocol.ts';

/** How a credential is shown to a vendor. */
export type Authentication = 'bearer' | 'api-key';

/** One vendor. */
export interface ProviderKind {
  readonly authentication: Authentication;
  /** Whether streams report usage only if `stream_options.include_usage` is set. */
  readonly usageOnRequest: boolean;
  /** Path and query of an operation below the provider's base path. */
  readonly locate: (operation: { readonly path: string; readonly protocol: ProtocolId }, place: Place) => string;
}

/** What the location of an operation may depend on. */
export interface Place {
  readonly config: ProviderConfig;
  /** The model named to the upstream, if any. */
  readonly model: string | undefined;
}

const openai: ProviderKind = {
  authentication: 'bearer',
  usageOnRequest: true,
  locate: ({ path }) => path,
};

/** Mistral reports usage in every stream and refuses unknown members. https://docs.mistral.ai/api/ */
const mistral: ProviderKind = { ...openai, usageOnRequest: false };

/**
 * Azure has two ways: the v1 API (default), which is OpenAI's own, and deployments, where the path names the model.
 * https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 */
const azure: ProviderKind = {
  authentication: 'api-key',
  usageOnRequest: true,
  locate({ path, protocol }, { config, model }) {
    const { apiVersion, deploymentPath } = config.azure ?? {};
    const byDeployment = deploymentPath === 'Deployment' || (deploymentPath === undefined && apiVersion !== undefined);
    if (!byDeployment) return path;
    const version = `?api-version=${encodeURIComponent(apiVersion ?? '2024-10-21')}`;
    if (protocol === 'openai-responses' || model === undefined) return `${path}${version}`;
    // A client's own model name must not climb in the path.
    if (model === '.' || model === '..') throw new ClientError('model_not_found');
    return `/deployments/${encodeURIComponent(model)}${path}${version}`;
  },
};

const kinds: { readonly [type in ProviderType]?: ProviderKind } = {
  OpenAI: openai,
  AzureOpenAI: azure,
  Mistral: mistral,
  VLLM: openai,
  OpenRouter: openai,
  Groq: openai,
  NvidiaNIM: openai,
  HuggingFace: openai,
  Cerebras: openai,
  Cloudflare: openai,
  DeepSeek: openai,
  XAI: openai,
  Together: openai,
  Fireworks: openai,
  LMStudio: openai,
  OpenAICompatible: openai,
};

/** The vendor behind a provider type; undefined for those that this version cannot speak to. */
export function providerKind(type: ProviderType): ProviderKind | undefined {
  return kinds[type];
}
