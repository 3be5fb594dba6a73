// OpenAI's client, asking for chat completions.

import type OpenAI from 'openai';
import { official } from '../client.ts';
import { type OfficialClient, type Question, type Told, toolParameters, usualModel } from './client.ts';
import type { Json } from './vendor.ts';

/** Two names are in use for what a model thought. */
interface Thinking {
  readonly reasoning_content?: string;
  readonly reasoning?: string;
}

function thinkingIn(message: Thinking | undefined): string {
  return message?.reasoning_content ?? message?.reasoning ?? '';
}

/** One of its two versions. */
export function openaiChat(version: 'v6' | 'v7'): OfficialClient {
  const clientOf = (baseURL: string): OpenAI => official(version, `${baseURL}/v1`);
  return {
    name: `openai ${version.slice(1)} chat`,
    async ask(baseURL, question, streamed) {
      const client = clientOf(baseURL);
      if (!streamed) return toTold(await client.chat.completions.create(requestOf(question)));
      const { stream: _, ...request } = requestOf(question);
      const stream = client.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
      let thinking = '';
      // Its own sum keeps only the last of what it does not know.
      stream.on('chunk', ({ choices }) => {
        thinking += thinkingIn(choices[0]?.delta as Thinking | undefined);
      });
      return { ...toTold(await stream.finalChatCompletion()), thinking };
    },
    async *listen(baseURL, question, signal) {
      const client = clientOf(baseURL);
      const stream = await client.chat.completions.create({ ...requestOf(question), stream: true }, { signal });
      for await (const { choices } of stream) if (choices[0]?.delta.content) yield choices[0].delta.content;
    },
    statusOf: (error) => (error as { status?: number }).status,
  };
}

function requestOf({
  model = usualModel,
  system,
  user,
  tools,
  image,
  schema,
  thinks,
  before,
}: Question): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const url = `data:image/png;base64,${image}`;
  const content =
    image === undefined
      ? user
      : [
          { type: 'text', text: user },
          { type: 'image_url', image_url: { url } },
        ];
  const request = {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content },
      ...(before === undefined ? [] : [before.told.turn, ...resultsOf(before)]),
    ],
    ...(tools && {
      tools: tools.map((name) => ({ type: 'function', function: { name, parameters: toolParameters } })),
    }),
    ...(schema && { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } } }),
    ...(thinks === true && { reasoning_effort: 'low' }),
  };
  return request as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming;
}

function resultsOf({ told, results }: NonNullable<Question['before']>): readonly object[] {
  return results.map((content, index) => ({ role: 'tool', tool_call_id: told.calls[index]?.id, content }));
}

function toTold({ choices, usage }: OpenAI.ChatCompletion): Told {
  const [choice] = choices;
  if (choice === undefined) throw new Error('there is no choice');
  const { message } = choice;
  const calls = (message.tool_calls ?? []).map((call) => {
    if (call.type !== 'function') throw new Error(`a call of type ${call.type}`);
    return { id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments || '{}') as Json };
  });
  return {
    thinking: thinkingIn(message as Thinking),
    text: message.content ?? '',
    calls,
    finish: choice.finish_reason === 'tool_calls' ? 'calls' : 'stop',
    usage: { input: usage?.prompt_tokens ?? -1, output: usage?.completion_tokens ?? -1 },
    turn: message,
  };
}
