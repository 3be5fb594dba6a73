// The official clients of three vendors, asked for the same things in their own words.

import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic0';
import { Ollama } from 'ollama';
import type OpenAI from 'openai';
import { official } from '../client.ts';

/** What is asked. */
export interface Wish {
  readonly model?: string;
  readonly stream: boolean;
  readonly tools?: boolean;
  readonly json?: boolean;
  readonly think?: boolean;
  /** A picture as base64. */
  readonly picture?: string;
  readonly signal?: AbortSignal;
}

/** What is heard. */
export interface Talk {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly { readonly name: string; readonly input: unknown }[];
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly finish: string;
  /** Gives the answer back with a result for each of its calls, and hears what is said to that. */
  answer(results: readonly string[], stream: boolean, model?: string): Promise<Talk>;
}

/** A client of one library. */
export interface CloudClient {
  readonly name: string;
  ask(baseURL: string, wish: Wish): Promise<Talk>;
}

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const functions = [
  { name: 'weather', description: 'of a city', parameters: schema },
  { name: 'time', description: 'of day', parameters: { type: 'object', properties: {} } },
];

type ChatMessages = OpenAI.Chat.Completions.ChatCompletionMessageParam[];

function openaiClient(version: 'v6' | 'v7'): CloudClient {
  return {
    name: `openai ${version}`,
    ask: (baseURL, wish) => {
      const client = official(version, `${baseURL}/v1`);
      const url = `data:image/png;base64,${wish.picture}`;
      const content =
        wish.picture === undefined
          ? 'one'
          : [
              { type: 'text' as const, text: 'what is it?' },
              { type: 'image_url' as const, image_url: { url } },
            ];
      return chat(client, [{ role: 'user', content }], wish);
    },
  };
}

async function chat(client: OpenAI, messages: ChatMessages, wish: Wish): Promise<Talk> {
  const { stream, tools, json, think, model = 'chat', signal } = wish;
  const asked = {
    model,
    messages,
    ...(tools === true && { tools: functions.map((one) => ({ type: 'function' as const, function: one })) }),
    ...(json === true && {
      response_format: { type: 'json_schema' as const, json_schema: { name: 'place', schema } },
    }),
    ...(think === true && { reasoning_effort: 'low' as const }),
  };
  const options = signal === undefined ? {} : { signal };
  const pieces: string[] = [];
  const { choices, usage } = stream
    ? await client.chat.completions
        .stream({ ...asked, stream_options: { include_usage: true } }, options)
        // Of members that it does not know the client keeps only the last piece.
        .on('chunk', (chunk) => pieces.push(thinkingOf(chunk.choices[0]?.delta)))
        .finalChatCompletion()
    : await client.chat.completions.create(asked, options);
  const { message, finish_reason: finish } = choices[0]!;
  const calls = (message.tool_calls ?? []).filter((call) => call.type === 'function');
  return {
    text: message.content ?? '',
    thinking: stream ? pieces.join('') : thinkingOf(message),
    calls: calls.map((call) => ({ name: call.function.name, input: JSON.parse(call.function.arguments) as unknown })),
    inputTokens: usage?.prompt_tokens ?? 0,
    outputTokens: usage?.completion_tokens ?? 0,
    finish,
    answer(results, streamed, other) {
      const turns = results.map((content, at) => ({ role: 'tool' as const, tool_call_id: calls[at]!.id, content }));
      const next = { ...wish, stream: streamed, ...(other !== undefined && { model: other }) };
      return chat(client, [...messages, message, ...turns], next);
    },
  };
}

function thinkingOf(said: unknown): string {
  return (said as { reasoning_content?: string } | undefined)?.reasoning_content ?? '';
}

function anthropicClient(version: '0.137' | '1.x'): CloudClient {
  return {
    name: `anthropic ${version}`,
    ask(baseURL, wish) {
      const options = { apiKey: 'nobody', baseURL, maxRetries: 0 };
      const client = version === '1.x' ? new Anthropic(options) : (new Anthropic0(options) as unknown as Anthropic);
      const source = { type: 'base64' as const, media_type: 'image/png' as const, data: wish.picture ?? '' };
      const content =
        wish.picture === undefined
          ? 'one'
          : [
              { type: 'text' as const, text: 'what is it?' },
              { type: 'image' as const, source },
            ];
      return converse(client, [{ role: 'user', content }], wish);
    },
  };
}

async function converse(client: Anthropic, messages: Anthropic.MessageParam[], wish: Wish): Promise<Talk> {
  const { stream, tools, json, think, model = 'chat', signal } = wish;
  const asked = {
    model,
    max_tokens: 4096,
    messages,
    ...(tools === true && {
      tools: functions.map(({ parameters, ...one }) => ({ ...one, input_schema: parameters as { type: 'object' } })),
    }),
    ...(json === true && { output_config: { format: { type: 'json_schema' as const, schema } } }),
    ...(think === true && { thinking: { type: 'enabled' as const, budget_tokens: 1024 } }),
  };
  const options = signal === undefined ? {} : { signal };
  const message = stream
    ? await client.messages.stream(asked, options).finalMessage()
    : await client.messages.create(asked, options);
  const calls = message.content.filter((block) => block.type === 'tool_use');
  return {
    text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    thinking: message.content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: calls.map(({ name, input }) => ({ name, input })),
    inputTokens: message.usage.input_tokens,
    outputTokens: message.usage.output_tokens,
    finish: message.stop_reason ?? '',
    answer(results, streamed, other) {
      const content = results.map((text, at) => {
        return { type: 'tool_result' as const, tool_use_id: calls[at]!.id, content: text };
      });
      const turns = [
        { role: 'assistant' as const, content: message.content },
        { role: 'user' as const, content },
      ];
      const next = { ...wish, stream: streamed, ...(other !== undefined && { model: other }) };
      return converse(client, [...messages, ...turns], next);
    },
  };
}

type OllamaMessage = Parameters<Ollama['chat']>[0]['messages'] extends (infer One)[] | undefined ? One : never;

const ollamaClient: CloudClient = {
  name: 'ollama',
  ask(baseURL, wish) {
    const { signal } = wish;
    const fetching: typeof fetch = (input, init) => fetch(input, signal === undefined ? init : { ...init, signal });
    const client = new Ollama({ host: baseURL, fetch: fetching });
    const images = wish.picture === undefined ? {} : { images: [wish.picture] };
    return talk(client, [{ role: 'user', content: 'one', ...images }], wish);
  },
};

async function talk(client: Ollama, messages: OllamaMessage[], wish: Wish): Promise<Talk> {
  const { stream, tools, json, think, model = 'chat' } = wish;
  const asked = {
    model,
    messages,
    ...(tools === true && { tools: functions.map((one) => ({ type: 'function', function: one })) as never }),
    ...(json === true && { format: schema }),
    ...(think === true && { think: true }),
  };
  const parts = stream ? [] : [await client.chat({ ...asked, stream: false })];
  if (stream) for await (const part of await client.chat({ ...asked, stream: true })) parts.push(part);
  const last = parts.at(-1)!;
  if (!last.done) throw new Error('it ended before it was done');
  const calls = parts.flatMap(({ message }) => message.tool_calls ?? []);
  const text = parts.map(({ message }) => message.content).join('');
  const thinking = parts.map(({ message }) => message.thinking ?? '').join('');
  return {
    text,
    thinking,
    calls: calls.map((call) => ({ name: call.function.name, input: call.function.arguments })),
    inputTokens: last.prompt_eval_count,
    outputTokens: last.eval_count,
    finish: last.done_reason,
    answer(results, streamed, other) {
      const said = { role: 'assistant', content: text, thinking, tool_calls: calls };
      const turns = results.map((content, at) => {
        return { role: 'tool', content, tool_name: calls[at]!.function.name };
      });
      const next = { ...wish, stream: streamed, ...(other !== undefined && { model: other }) };
      return talk(client, [...messages, said, ...turns], next);
    },
  };
}

/** Every client that clients of this gateway may be. */
export const cloudClients: readonly CloudClient[] = [
  openaiClient('v6'),
  openaiClient('v7'),
  anthropicClient('0.137'),
  anthropicClient('1.x'),
  ollamaClient,
];
