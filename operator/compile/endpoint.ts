// Where a provider is reached: its own URL, a Service of its namespace, or the vendor's public address.

import type { LLMProvider } from '../../crds/llm-provider.ts';
import type { ProviderConfig, ProviderType } from '../../proxy/config/schema.ts';
import { notAccepted, notResolved, type Report } from './diagnostic.ts';
import type { Facts } from './facts.ts';

type Spec = LLMProvider['spec'];
type Endpoint = Pick<ProviderConfig, 'baseURL' | 'endpointSource'>;

/** The base URL of a provider, and where it came from. */
export function resolveEndpoint({ metadata, spec }: LLMProvider, facts: Facts, report: Report): Endpoint | undefined {
  const { url, serviceRef } = spec.endpoint ?? {};
  if (serviceRef !== undefined) {
    if (!serviceExists(facts, metadata.namespace, serviceRef)) {
      const { name, port } = serviceRef;
      const message = `the namespace has no Service "${name}" with port ${port} that is not of type ExternalName`;
      report(notResolved('ServiceNotFound', 'spec.endpoint.serviceRef', message));
      return undefined;
    }
    const { name, port, scheme = 'https', path = '' } = serviceRef;
    const base = `${scheme}://${name}.${metadata.namespace}.svc:${port}${path}`;
    return { baseURL: toBase(spec, base), endpointSource: 'Service' };
  }
  if (url !== undefined) return { baseURL: toBase(spec, url), endpointSource: 'URL' };
  const base = publicBases[spec.type]?.(spec);
  if (base !== undefined) return { baseURL: toBase(spec, base), endpointSource: 'Default' };
  report(notAccepted('Invalid', 'spec.endpoint', `must be given: ${spec.type} has no public address`));
  return undefined;
}

/** An ExternalName Service could name any host, so it reads as if there were none. */
function serviceExists(
  facts: Facts,
  namespace: string,
  ref: { readonly name: string; readonly port: number },
): boolean {
  if (facts.world.source === 'files') return true;
  const service = facts.services.get(`${namespace}/${ref.name}`);
  if (service === undefined || service.type === 'ExternalName') return false;
  // A headless Service may list no ports; its name then leads to the pods, on any port.
  return service.ports.length === 0 || service.ports.includes(ref.port);
}

function toBase(spec: Spec, url: string): string {
  const base = url.replace(/\/+$/, '');
  if (spec.type === 'VertexAI' && URL.parse(base)?.pathname === '/') return base + vertexPlace(spec.vertexAI);
  return spec.type === 'AzureOpenAI' ? toAzureBase(spec.azure, base) : base;
}

/**
 * Azure's own SDK is given the resource and adds `/openai`; the v1 API is used with OpenAI's SDK, which is given
 * `/openai/v1`. Both are taken. https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 */
function toAzureBase(azure: Spec['azure'], base: string): string {
  const { apiVersion, deploymentPath = apiVersion === undefined ? 'V1' : 'Deployment' } = azure ?? {};
  const rooted = base.endsWith('/openai') ? base : `${base}/openai`;
  if (deploymentPath === 'Deployment') return rooted;
  return base.endsWith('/v1') ? base : `${rooted}/v1`;
}

/** The place that the vendor's own SDK talks to when it is given no other; undefined for what people run themselves. */
const publicBases: { readonly [type in ProviderType]: ((spec: Spec) => string | undefined) | undefined } = {
  OpenAI: () => 'https://api.openai.com/v1',
  AzureOpenAI: ({ azure }) => `https://${azure?.resource}.openai.azure.com`,
  Anthropic: () => 'https://api.anthropic.com',
  Gemini: () => 'https://generativelanguage.googleapis.com',
  VertexAI: ({ vertexAI }) => vertexAI && `https://${toVertexHost(vertexAI)}`,
  Bedrock: ({ bedrock }) => `https://bedrock-runtime.${bedrock?.region}.amazonaws.com`,
  Mistral: () => 'https://api.mistral.ai/v1',
  Cohere: () => 'https://api.cohere.com',
  Ollama: undefined,
  VLLM: undefined,
  OpenRouter: () => 'https://openrouter.ai/api/v1',
  Groq: () => 'https://api.groq.com/openai/v1',
  NvidiaNIM: () => 'https://integrate.api.nvidia.com/v1',
  HuggingFace: () => 'https://router.huggingface.co/v1',
  Cerebras: () => 'https://api.cerebras.ai/v1',
  Cloudflare: ({ cloudflare }) => `https://api.cloudflare.com/client/v4/accounts/${cloudflare?.accountID}/ai/v1`,
  DeepSeek: () => 'https://api.deepseek.com',
  XAI: () => 'https://api.x.ai/v1',
  Together: () => 'https://api.together.ai/v1',
  Fireworks: () => 'https://api.fireworks.ai/inference/v1',
  LMStudio: undefined,
  OpenAICompatible: undefined,
};

/**
 * Multi-regions have names of another form.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations
 */
function toVertexHost({ location }: NonNullable<Spec['vertexAI']>): string {
  if (location === 'global') return 'aiplatform.googleapis.com';
  if (location === 'us' || location === 'eu') return `aiplatform.${location}.rep.googleapis.com`;
  return `${location}-aiplatform.googleapis.com`;
}

/** Below a host of one's own too; a URL with a path is where models of publishers are as it is: API keys need no project. */
function vertexPlace(vertexAI: Spec['vertexAI']): string {
  return `/v1/projects/${vertexAI?.project}/locations/${vertexAI?.location}`;
}
