// Who sits the exam: an official client, streamed or not, and a kind of provider behind the gateway.

import Anthropic from '@anthropic-ai/sdk';
import type { ProviderType } from '../../../proxy/config/schema.ts';
import { official } from '../../support/client.ts';

/** What a client makes of an answer. */
export interface Told {
  readonly text: string;
  readonly model: string | undefined;
  readonly outputTokens: number;
  /** The words of the error, if it got one. */
  readonly error: string | undefined;
}

/** Asks for the recitation. Rejects with whatever the client throws. */
type Ask = (url: string, model: string, signal: AbortSignal) => Promise<Omit<Told, 'error'>>;

/** One candidate. */
export interface Candidate {
  readonly name: string;
  readonly provider: ProviderType;
  readonly ask: Ask;
}

const prompt = { role: 'user' as const, content: 'Explain in exactly sixty words why a gateway earns trust.' };

const openaiStreamed: Ask = async (url, model, signal) => {
  const body = { model, messages: [prompt], stream: true as const, stream_options: { include_usage: true } };
  let told = { text: '', model: undefined as string | undefined, outputTokens: 0 };
  for await (const chunk of await official('v7', `${url}/v1`).chat.completions.create(body, { signal })) {
    const text = told.text + (chunk.choices[0]?.delta.content ?? '');
    told = { text, model: chunk.model, outputTokens: chunk.usage?.completion_tokens ?? told.outputTokens };
  }
  return told;
};

const openaiWhole: Ask = async (url, model, signal) => {
  const client = official('v7', `${url}/v1`);
  const answered = await client.chat.completions.create({ model, messages: [prompt] }, { signal });
  return {
    text: answered.choices[0]?.message.content ?? '',
    model: answered.model,
    outputTokens: answered.usage?.completion_tokens ?? 0,
  };
};

const anthropicAsked =
  (streamed: boolean): Ask =>
  async (url, model, signal) => {
    const client = new Anthropic({ apiKey: 'nobody', baseURL: url, maxRetries: 0 });
    const body = { model, max_tokens: 1000, messages: [prompt] };
    const message = streamed
      ? await client.messages.stream(body, { signal }).finalMessage()
      : await client.messages.create(body, { signal });
    const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    return { text, model: message.model, outputTokens: message.usage.output_tokens };
  };

/** All candidates. */
export const candidates: readonly Candidate[] = [
  { name: 'OpenAI, streamed', provider: 'OpenAICompatible', ask: openaiStreamed },
  { name: 'OpenAI, whole', provider: 'OpenAICompatible', ask: openaiWhole },
  { name: 'Anthropic, streamed', provider: 'Anthropic', ask: anthropicAsked(true) },
  { name: 'Anthropic, whole', provider: 'Anthropic', ask: anthropicAsked(false) },
  { name: 'Anthropic → OpenAI, streamed', provider: 'OpenAICompatible', ask: anthropicAsked(true) },
  { name: 'OpenAI → Anthropic, streamed', provider: 'Anthropic', ask: openaiStreamed },
];
