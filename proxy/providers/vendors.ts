// Every vendor, by the type of provider. Adding one is adding an entry.

import type { ProviderType } from '../config/schema.ts';
import { anthropic } from './anthropic.ts';
import { bedrock } from './bedrock.ts';
import { cohere } from './cohere.ts';
import { gemini } from './gemini.ts';
import { ollama } from './ollama.ts';
import { azure, compatible, deepseek, mistral, openai, vllm } from './openai-family.ts';
import type { ProviderKind } from './provider-kind.ts';
import { vertex } from './vertex.ts';

const kinds: { readonly [type in ProviderType]: ProviderKind } = {
  OpenAI: openai,
  AzureOpenAI: azure,
  Anthropic: anthropic,
  Gemini: gemini,
  VertexAI: vertex,
  Bedrock: bedrock,
  Mistral: mistral,
  Cohere: cohere,
  Ollama: ollama,
  VLLM: vllm,
  OpenRouter: compatible,
  Groq: compatible,
  NvidiaNIM: compatible,
  HuggingFace: compatible,
  Cerebras: compatible,
  Cloudflare: compatible,
  DeepSeek: deepseek,
  XAI: compatible,
  Together: compatible,
  Fireworks: compatible,
  LMStudio: compatible,
  OpenAICompatible: compatible,
};

/** The vendor behind a provider type. */
export function providerKind(type: ProviderType): ProviderKind {
  return kinds[type];
}
