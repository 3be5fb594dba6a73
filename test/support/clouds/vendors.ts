// Clouds as a gateway is configured for them, each with a script that answers as it does, and scripts that fail as it does.

import type { BackendConfig, ProviderConfig } from '../../../proxy/config/schema.ts';
import { exception, delta, start } from '../../proxy/protocols/bedrock-converse/frames.ts';
import { eventFrame, failure } from '../anthropic-answers.ts';
import { backend, provider, upstreamKey } from '../config.ts';
import { stream } from '../scripts.ts';
import { openStage, type Stage, type StageOptions } from '../stage.ts';
import type { Script } from '../upstream.ts';
import { bedrock, frames, refusal as bedrockRefusal } from './bedrock.ts';
import { cohere, refusal as cohereRefusal } from './cohere.ts';
import { google, refusal as googleRefusal } from './google.ts';
import { vertexClaude } from './vertex-claude.ts';

/** One cloud, and a model of it. */
export interface Vendor {
  readonly name: string;
  readonly model: string;
  readonly secret: string;
  readonly provider: Partial<ProviderConfig> & Pick<ProviderConfig, 'type'>;
  /** Path of the base URL. */
  readonly base: string;
  readonly answers: (backend: string) => Script;
  /** Says that there were too many requests. */
  readonly tooMany: Script;
  /** Fails at once in a stream that has begun, and after its first content. */
  readonly failsAtOnce: Script;
  readonly failsLater: Script;
}

const place = '/v1/projects/shop/locations/europe-west4';
const retryInfo = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '22s' };

function googleVendor(service: 'gemini' | 'vertex'): Omit<Vendor, 'name' | 'secret' | 'provider' | 'base'> {
  const chunk = (members: object): string => `data: ${JSON.stringify(members)}\r\n\r\n`;
  const said = chunk({ candidates: [{ content: { parts: [{ text: 'hello ' }], role: 'model' } }] });
  const failed = chunk({ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } });
  return {
    model: 'gemini-3-pro-preview',
    answers: (name) => google(service, name),
    tooMany: googleRefusal(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.', [retryInfo]),
    failsAtOnce: stream([failed]),
    failsLater: stream([said, failed]),
  };
}

const messageStart = eventFrame({
  type: 'message_start',
  message: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'c',
    content: [],
    usage: { input_tokens: 1, output_tokens: 1 },
  },
});
const claudeSaid = [
  eventFrame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  eventFrame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hello ' } }),
];
const claudeFailed = eventFrame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });

const cohereEvent = (event: { readonly type: string; readonly [member: string]: unknown }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const cohereStart = cohereEvent({ type: 'message-start', id: 'c', delta: { message: { role: 'assistant' } } });
const cohereSaid = cohereEvent({
  type: 'content-delta',
  index: 0,
  delta: { message: { content: { text: 'hello ' } } },
});
const cohereFailed = cohereEvent({ type: 'message-end', delta: { finish_reason: 'ERROR', error: 'internal' } });

/** Every cloud. */
export const vendors: readonly Vendor[] = [
  {
    ...googleVendor('gemini'),
    name: 'gemini',
    secret: 'AIza-canary-of-gemini',
    provider: { type: 'Gemini' },
    base: '',
  },
  {
    ...googleVendor('vertex'),
    name: 'vertex',
    secret: 'ya29.canary-of-vertex',
    provider: { type: 'VertexAI', vertexAI: { project: 'shop', location: 'europe-west4' } },
    base: place,
  },
  {
    name: 'vertex-claude',
    model: 'claude-sonnet-4-5@20250929',
    secret: 'ya29.canary-of-claude',
    provider: { type: 'VertexAI', vertexAI: { project: 'shop', location: 'europe-west4' } },
    base: place,
    answers: vertexClaude,
    tooMany: failure(429, 'rate_limit_error', 'Quota exceeded'),
    failsAtOnce: stream([messageStart, claudeFailed]),
    failsLater: stream([messageStart, ...claudeSaid, claudeFailed]),
  },
  {
    name: 'bedrock',
    model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    secret: JSON.stringify({ accessKeyId: 'AKIACANARY', secretAccessKey: 'canary-of-bedrock' }),
    provider: { type: 'Bedrock', bedrock: { region: 'eu-central-1' } },
    base: '',
    answers: bedrock,
    tooMany: bedrockRefusal(429, 'ThrottlingException', 'Too many requests, please wait before trying again.'),
    failsAtOnce: frames([exception('throttlingException', { message: 'Too many requests.' })]),
    failsLater: frames([
      start(),
      delta(0, { text: 'hello ' }),
      exception('serviceUnavailableException', { message: 'Service unavailable.' }),
    ]),
  },
  {
    name: 'cohere',
    model: 'command-a-reasoning-08-2025',
    secret: 'canary-of-cohere',
    provider: { type: 'Cohere' },
    base: '',
    answers: cohere,
    tooMany: cohereRefusal(429, 'Please wait and try again later'),
    failsAtOnce: stream([cohereStart, cohereFailed]),
    failsLater: stream([cohereStart, cohereSaid, cohereFailed]),
  },
];

/** The cloud of a name. */
export function vendorOf(name: string): Vendor {
  const vendor = vendors.find((one) => one.name === name);
  if (vendor === undefined) throw new Error(name);
  return vendor;
}

/**
 * A stage on which the backends that are named like a vendor are that vendor's, with a key and its model. Others are
 * servers that do as OpenAI does.
 */
export function openCloudStage<Name extends string>(
  scripts: Readonly<Record<Name, Script>>,
  options: StageOptions & { readonly backend?: Partial<BackendConfig> } = {},
): Promise<Stage<Name>> {
  const names = Object.keys(scripts);
  const clouds = vendors.filter(({ name }) => names.includes(name));
  const backends = names.map((name, priority) => {
    const vendor = clouds.find((one) => one.name === name);
    return backend(name, { priority, ...(vendor !== undefined && { model: vendor.model }), ...options.backend });
  });
  return openStage(scripts, {
    ...options,
    rule: { backends, ...options.rule },
    draft(usual) {
      const providers = usual.providers.map((each) => {
        const vendor = clouds.find(({ name }) => each.id === `default/${name}`);
        if (vendor === undefined) return each;
        const credentials = { type: 'KeyPool' as const };
        const baseURL = each.baseURL.replace(/\/v1$/, vendor.base);
        return provider(vendor.name, baseURL, { credentials, ...vendor.provider, ...options.provider });
      });
      const upstreamKeys = clouds.map(({ name, secret }) => upstreamKey(`key-${name}`, name, secret));
      const changed = { ...usual, providers, upstreamKeys };
      return options.draft?.(changed) ?? changed;
    },
  });
}
