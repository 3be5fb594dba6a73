// A server of Ollama. https://github.com/ollama/ollama/blob/main/docs/api.md

import type { UpstreamRequest } from '../upstream.ts';
import {
  type Heard,
  type Json,
  objectIn,
  objectsIn,
  piecesOf,
  said,
  type Said,
  textIn,
  type Vendor,
} from './vendor.ts';

const final = {
  done: true,
  done_reason: 'stop',
  total_duration: 5_000_000,
  load_duration: 1_000,
  prompt_eval_count: said.input,
  prompt_eval_duration: 1_000_000,
  eval_count: said.output,
  eval_duration: 2_000_000,
};

/** Ollama itself. */
export const ollamaVendor: Vendor = {
  name: 'Ollama',
  type: 'Ollama',
  model: 'qwen3:8b',
  basePath: '',
  showsThinking: true,
  streamType: 'application/x-ndjson',
  isStreamed: ({ json }) => json['stream'] !== false,
  whole: (what, request) => ({ ...line(request, messageOf(what)), ...final }),
  frames: ({ thinking = '', text = '', calls = [] }, request) =>
    [
      ...piecesOf(thinking).map((piece) => line(request, { content: '', thinking: piece })),
      ...piecesOf(text).map((content) => line(request, { content })),
      // Each call comes whole, in a line of its own.
      ...calls.map((call) => line(request, messageOf({ calls: [call] }))),
    ]
      .map((object) => ({ ...object, done: false }))
      .concat([{ ...line(request, { content: '' }), ...final }] as never)
      .map((object) => `${JSON.stringify(object)}\n`),
  refusal: (message) => ({ status: 400, body: { error: message } }),
  fault: (message) => `${JSON.stringify({ error: message })}\n`,
  hear,
};

function line({ json }: UpstreamRequest, message: object): Json {
  return {
    model: json['model'],
    created_at: '2026-11-01T00:00:00.000000001Z',
    message: { role: 'assistant', ...message },
  };
}

function messageOf({ thinking, text = '', calls = [] }: Said): Json {
  return {
    content: text,
    ...(thinking !== undefined && { thinking }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ name, input }, index) => ({ function: { index, name, arguments: input } })),
    }),
  };
}

function hear({ json }: UpstreamRequest): Heard {
  const messages = objectsIn(json['messages']);
  for (const { content } of messages) if (typeof content !== 'string') throw new Error('content must be a string');
  const of = (role: string): readonly string[] =>
    messages.filter((one) => one['role'] === role).map(({ content }) => textIn(content));
  // Ids are the server's own affair: results belong to calls by the names of their tools, in order.
  const calls = messages
    .flatMap((message) => objectsIn(message['tool_calls']))
    .map((call) => {
      const { name, arguments: input } = objectIn(call['function']);
      return { id: String(name), name: String(name), input: objectIn(input) };
    });
  const { format, think } = json;
  return {
    system: of('system').join('\n'),
    user: of('user'),
    tools: objectsIn(json['tools']).map((tool) => String(objectIn(tool['function'])['name'])),
    calls,
    results: messages
      .filter(({ role }) => role === 'tool')
      .map(({ tool_name: name, content }) => ({ id: String(name), text: textIn(content) })),
    images: messages.flatMap(({ images }) => (images ?? []) as readonly string[]),
    schema: format === undefined || format === 'json' ? undefined : objectIn(format),
    thinks: think !== undefined && think !== false,
  };
}
