// What spans say, in the words of OpenTelemetry's semantic conventions for HTTP and for generative AI. Pure. Nothing
// of a prompt, an answer, a header or an address of an upstream gets in here.
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and …/gen-ai/gen-ai-spans/

import type { Attributes } from '@opentelemetry/api';
import type { AttemptRecord, Trail } from '../accounting/trail.ts';
import type { Usage } from '../canonical/usage.ts';
import { printable, scrubPatterns } from './redaction.ts';
import { secondsToFirstContent } from './trail-facts.ts';

/** `gen_ai.provider.name`, where the conventions have a value of their own; else the type in lower case. */
const providerNames: Readonly<Record<string, string>> = {
  OpenAI: 'openai',
  AzureOpenAI: 'azure.ai.openai',
  Anthropic: 'anthropic',
  Gemini: 'gcp.gemini',
  VertexAI: 'gcp.vertex_ai',
  Bedrock: 'aws.bedrock',
  Mistral: 'mistral_ai',
  Cohere: 'cohere',
  Groq: 'groq',
  DeepSeek: 'deepseek',
  XAI: 'x_ai',
};

/**
 * `gen_ai.operation.name` by client protocol. A relayed operation has none, because its body is not looked at, nor has one
 * that only counts.
 */
const operationNames: Readonly<Record<string, string>> = {
  'openai-chat': 'chat',
  'openai-responses': 'chat',
  'openai-completions': 'text_completion',
  'openai-embeddings': 'embeddings',
  'anthropic-messages': 'chat',
  'ollama-chat': 'chat',
  'ollama-generate': 'text_completion',
  'ollama-embed': 'embeddings',
  'ollama-embeddings': 'embeddings',
};

/** The conventions' list: any other method would let clients name spans. */
const methods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
]);

/** What is known of a request when it begins. */
export function requestStartAttributes(trail: Trail): Attributes {
  return {
    'http.request.method': methods.has(trail.method) ? trail.method : '_OTHER',
    'url.path': chosen(trail.path),
    'url.scheme': 'http',
    'sluice.request.id': chosen(trail.id),
  };
}

/** What is known of a request when it has ended. */
export function requestEndAttributes(trail: Trail): Attributes {
  const { protocol, route, rule, clientKey, tenant, requestModel, stream, status, errorCode, outcome, attempts } =
    trail;
  return defined({
    'http.response.status_code': status,
    'error.type': isError(trail) ? (errorCode ?? String(status ?? outcome)) : undefined,
    'gen_ai.request.model': requestModel === undefined ? undefined : chosen(requestModel),
    'gen_ai.request.stream': stream === true ? true : undefined,
    'sluice.protocol': protocol,
    'sluice.route': route,
    'sluice.rule': rule,
    'sluice.client_key': clientKey,
    'sluice.tenant': tenant,
    'sluice.error': errorCode,
    'sluice.outcome': outcome,
    'sluice.attempts': attempts.length,
  });
}

/** Whether the gateway failed the client: its own 4xx answers are the client's faults, as for any HTTP server. */
export function isError({ status, outcome }: Trail): boolean {
  return outcome === 'failed-in-band' || (status !== undefined && status >= 500);
}

/** `POST team-a/chat`: a route is configured, a path is not. */
export function requestSpanName({ method, route }: Trail): string {
  const known = methods.has(method) ? method : 'HTTP';
  return route === undefined ? known : `${known} ${route}`;
}

/** `chat gpt-4o`, as the conventions want it; the backend's name where there is no operation or model to name. */
export function attemptSpanName({ protocol }: Trail, { model, backendName }: AttemptRecord): string {
  const operation = operationNames[protocol ?? ''];
  return operation === undefined
    ? `relay ${backendName}`
    : `${operation} ${model === undefined ? backendName : chosen(model)}`;
}

/** What is known of an attempt when it begins. */
export function attemptStartAttributes({ protocol, stream }: Trail, attempt: AttemptRecord): Attributes {
  const { number, backend, provider, providerType, key, model } = attempt;
  return defined({
    'gen_ai.operation.name': operationNames[protocol ?? ''],
    'gen_ai.provider.name': providerNames[providerType] ?? providerType.toLowerCase(),
    'gen_ai.request.model': model === undefined ? undefined : chosen(model),
    'gen_ai.request.stream': stream === true ? true : undefined,
    'http.request.resend_count': number > 1 ? number - 1 : undefined,
    'sluice.backend': backend,
    'sluice.provider': provider,
    'sluice.upstream_key': key,
  });
}

/** What is known of an attempt when it has ended; `usage` if its answer is what the client got. */
export function attemptEndAttributes(attempt: AttemptRecord, usage: Usage | undefined, stream: boolean): Attributes {
  const { status, failure } = attempt;
  return defined({
    'http.response.status_code': status,
    'error.type': failure?.class,
    'gen_ai.response.time_to_first_chunk': stream ? secondsToFirstContent(attempt) : undefined,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage?.cachedTokens,
    'gen_ai.usage.reasoning.output_tokens': usage?.reasoningTokens,
  });
}

function chosen(text: string): string {
  return scrubPatterns(printable(text));
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
