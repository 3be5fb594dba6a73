// Backends that go on with one another's answers, and official clients that must not notice.

import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic0';
import { Ollama } from 'ollama';
import { expect } from 'vitest';
import type { ProviderType } from '../../proxy/config/schema.ts';
import { dataOf, official } from './client.ts';
import { backend, provider } from './config.ts';
import { reciter, type ReciterOptions } from './reciter.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';
import type { Script } from './upstream.ts';

/** What a client has been told. */
export interface Told {
  readonly id: string;
  readonly text: string;
  readonly input: number;
  readonly output: number;
}

/** A backend: how it answers, and what it is. */
export interface Place {
  readonly script: Script;
  readonly type: ProviderType;
  readonly capabilities?: readonly string[];
}

/** A stage whose backends have a type each, and one model `m`. */
export function resumeStage<Name extends string>(
  places: Readonly<Record<Name, Place>>,
  options: StageOptions = {},
): Promise<Stage<Name>> {
  const names = Object.keys(places) as Name[];
  const scripts = Object.fromEntries(names.map((name) => [name, places[name].script])) as Record<Name, Script>;
  return openStage(scripts, {
    ...options,
    failover: { afterContent: 'Resume', ...options.failover },
    rule: {
      timeouts: { idleSeconds: 5 },
      backends: names.map((name, priority) => backend(name, { priority, model: 'm' })),
      ...options.rule,
    },
    draft: (usual) => ({
      ...usual,
      providers: usual.providers.map(({ id, baseURL }) => {
        const name = id.slice(id.indexOf('/') + 1) as Name;
        const { type, capabilities } = places[name];
        const base = type === 'Anthropic' || type === 'Ollama' ? baseURL.replace(/\/v1$/, '') : baseURL;
        const model = {
          name: 'm',
          upstreamName: `m-of-${name}`,
          ...(capabilities && { capabilities: [...capabilities] }),
        };
        return provider(name, base, { type, models: [model] });
      }),
    }),
  });
}

/** Deadlines for tests of stalls. */
export const impatient = { timeouts: { idleSeconds: 0.3 } };
/** Breaks after so many words. */
export const cut = (stopAfter = 40, stop: ReciterOptions['stop'] = 'end'): Script => reciter({ stopAfter, stop });
/** What is asked. */
export const said = { role: 'user' as const, content: 'say it' };

/** Official clients, and what they make of a stream. */
export const clients = {
  'OpenAI 7, chat completions': (url: string) => chatted(official('v7', `${url}/v1`)),
  'OpenAI 6, chat completions': (url: string) => chatted(official('v6', `${url}/v1`)),
  'OpenAI 7, completions': (url: string) => completed(official('v7', `${url}/v1`)),
  'OpenAI 7, responses': (url: string) => responded(official('v7', `${url}/v1`)),
  'OpenAI 6, responses': (url: string) => responded(official('v6', `${url}/v1`)),
  'Anthropic 1': (url: string) => messaged(new Anthropic({ apiKey: 'x', baseURL: url, maxRetries: 0 })),
  'Anthropic 0': (url: string) =>
    messaged(new Anthropic0({ apiKey: 'x', baseURL: url, maxRetries: 0 }) as unknown as Anthropic),
  'Ollama, chat': async (url: string) => {
    const stream = await new Ollama({ host: url }).chat({ model: 'chat', messages: [said], stream: true });
    return ollamaTold(stream, (part) => part.message.content);
  },
  'Ollama, generate': async (url: string) => {
    const stream = await new Ollama({ host: url }).generate({ model: 'chat', prompt: 'say it', stream: true });
    return ollamaTold(stream, (part) => part.response ?? '');
  },
} satisfies Readonly<Record<string, (url: string) => Promise<Told>>>;

/** A streamed chat completion. */
export const chatBody = { model: 'chat', messages: [said], stream: true };

/** A chunk of one. */
export function frame(delta: object, choice: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: null, ...choice }];
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`;
}

/** The code of the error that a stream ends with. */
export function codeOf(text: string): string | undefined {
  return (JSON.parse(dataOf(text).at(-1) ?? '{}') as { error?: { code: string } }).error?.code;
}

async function chatted(client: ReturnType<typeof official>): Promise<Told> {
  const stream = client.chat.completions.stream({
    model: 'chat',
    messages: [said],
    stream_options: { include_usage: true },
  });
  const { id, choices, usage } = await stream.finalChatCompletion();
  expect(choices.map(({ finish_reason: reason }) => reason)).toEqual(['stop']);
  return {
    id,
    text: choices[0]?.message.content ?? '',
    input: usage?.prompt_tokens ?? 0,
    output: usage?.completion_tokens ?? 0,
  };
}

async function completed(client: ReturnType<typeof official>): Promise<Told> {
  const ids = new Set<string>();
  let text = '';
  let finishes = 0;
  let usage = { prompt_tokens: 0, completion_tokens: 0 };
  const options = { model: 'chat', prompt: 'say it', stream: true, stream_options: { include_usage: true } } as const;
  for await (const chunk of await client.completions.create(options)) {
    ids.add(chunk.id);
    text += chunk.choices[0]?.text ?? '';
    if (chunk.choices[0]?.finish_reason) finishes += 1;
    if (chunk.usage) usage = chunk.usage;
  }
  expect([ids.size, finishes]).toEqual([1, 1]);
  return { id: [...ids].join(''), text, input: usage.prompt_tokens, output: usage.completion_tokens };
}

async function responded(client: ReturnType<typeof official>): Promise<Told> {
  const stream = client.responses.stream({ model: 'chat', input: 'say it' });
  const numbers: number[] = [];
  const items = new Set<string>();
  stream.on('event', (event) => {
    numbers.push(event.sequence_number);
    if (event.type === 'response.output_text.delta') items.add(`${event.item_id} ${event.output_index}`);
  });
  const { id, output, output_text: text, usage, status } = await stream.finalResponse();
  expect(numbers).toEqual(numbers.map((_, index) => index));
  expect([status, items.size]).toEqual(['completed', 1]);
  const message = output.findIndex(({ type }) => type === 'message');
  expect([...items][0]).toBe(`${output[message]?.id} ${message}`);
  expect(output.every(Boolean)).toBe(true);
  return { id, text, input: usage?.input_tokens ?? 0, output: usage?.output_tokens ?? 0 };
}

async function messaged(client: Anthropic): Promise<Told> {
  const stream = client.messages.stream({ model: 'chat', max_tokens: 1000, messages: [said] });
  const message = await stream.finalMessage();
  expect(message).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'end_turn' });
  expect(message.content.map(({ type }) => type)).toEqual(['text']);
  const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  return { id: message.id, text, input: message.usage.input_tokens, output: message.usage.output_tokens };
}

async function ollamaTold<Part extends { done: boolean; prompt_eval_count: number; eval_count: number; model: string }>(
  stream: AsyncIterable<Part>,
  wordsOf: (part: Part) => string,
): Promise<Told> {
  let text = '';
  const models = new Set<string>();
  let last: Part | undefined;
  for await (const part of stream) {
    text += wordsOf(part);
    models.add(part.model);
    expect(last?.done ?? false).toBe(false);
    last = part;
  }
  expect([models.size, last?.done]).toEqual([1, true]);
  return { id: [...models].join(), text, input: last?.prompt_eval_count ?? 0, output: last?.eval_count ?? 0 };
}
