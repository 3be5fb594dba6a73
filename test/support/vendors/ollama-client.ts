// Ollama's client.

import { type ChatRequest, type ChatResponse, Ollama } from 'ollama';
import { type OfficialClient, type Question, type Told, toolParameters, usualModel } from './client.ts';
import type { Json } from './vendor.ts';

/** Its only version. */
export const ollamaChat: OfficialClient = {
  name: 'ollama 0.6',
  async ask(host, question, streamed) {
    const client = new Ollama({ host });
    if (!streamed) return toTold([await client.chat({ ...requestOf(question), stream: false })]);
    const parts: ChatResponse[] = [];
    for await (const part of await client.chat({ ...requestOf(question), stream: true })) parts.push(part);
    return toTold(parts);
  },
  async *listen(host, question, signal) {
    const stream = await new Ollama({ host }).chat({ ...requestOf(question), stream: true });
    signal.addEventListener('abort', () => stream.abort());
    for await (const { message } of stream) if (message.content !== '') yield message.content;
  },
  statusOf: (error) => (error as { status_code?: number }).status_code,
};

function requestOf({ model = usualModel, system, user, tools, image, schema, thinks, before }: Question): ChatRequest {
  const request = {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: user, ...(image !== undefined && { images: [image] }) },
      ...(before === undefined ? [] : [before.told.turn, ...resultsOf(before)]),
    ],
    ...(tools && {
      tools: tools.map((name) => ({ type: 'function', function: { name, parameters: toolParameters } })),
    }),
    ...(schema && { format: schema }),
    ...(thinks === true && { think: 'low' }),
  };
  return request as unknown as ChatRequest;
}

/** It has no ids: results are told by the names of their tools. */
function resultsOf({ told, results }: NonNullable<Question['before']>): readonly object[] {
  return results.map((content, index) => ({ role: 'tool', tool_name: told.calls[index]?.name, content }));
}

function toTold(parts: readonly ChatResponse[]): Told {
  const last = parts.at(-1);
  if (last?.done !== true) throw new Error('it did not end');
  const calls = parts.flatMap(({ message }) => message.tool_calls ?? []);
  const text = parts.map(({ message }) => message.content).join('');
  const thinking = parts.map(({ message }) => message.thinking ?? '').join('');
  return {
    thinking,
    text,
    calls: calls.map((call) => ({
      id: call.function.name,
      name: call.function.name,
      input: call.function.arguments as Json,
    })),
    finish: calls.length > 0 ? 'calls' : 'stop',
    usage: { input: last.prompt_eval_count, output: last.eval_count },
    turn: { role: 'assistant', content: text, thinking, ...(calls.length > 0 && { tool_calls: calls }) },
  };
}
