// OpenAI's client, asking for responses.

import type OpenAI from 'openai';
import { official } from '../client.ts';
import { type OfficialClient, type Question, type Told, toolParameters, usualModel } from './client.ts';
import type { Json } from './vendor.ts';

/** One of its two versions. */
export function openaiResponses(version: 'v6' | 'v7'): OfficialClient {
  const clientOf = (baseURL: string): OpenAI => official(version, `${baseURL}/v1`);
  return {
    name: `openai ${version.slice(1)} responses`,
    async ask(baseURL, question, streamed) {
      const client = clientOf(baseURL);
      if (!streamed) return toTold(await client.responses.create(requestOf(question)));
      return toTold(await client.responses.stream(requestOf(question) as never).finalResponse());
    },
    async *listen(baseURL, question, signal) {
      const stream = await clientOf(baseURL).responses.create({ ...requestOf(question), stream: true }, { signal });
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') yield event.delta;
        // Its iterator leaves it to the caller to look at the end.
        if (event.type === 'response.failed') throw new Error(event.response.error?.message);
      }
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
}: Question): OpenAI.Responses.ResponseCreateParamsNonStreaming {
  const content = [
    { type: 'input_text', text: user },
    ...(image === undefined
      ? []
      : [{ type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${image}` }]),
  ];
  const request = {
    model,
    ...(system !== undefined && { instructions: system }),
    input: [
      { role: 'user', content },
      ...(before === undefined ? [] : [...(before.told.turn as object[]), ...resultsOf(before)]),
    ],
    ...(tools && {
      tools: tools.map((name) => ({ type: 'function', name, parameters: toolParameters, strict: false })),
    }),
    ...(schema && { text: { format: { type: 'json_schema', name: 'answer', schema, strict: true } } }),
    ...(thinks === true && { reasoning: { effort: 'low', summary: 'auto' } }),
  };
  return request as unknown as OpenAI.Responses.ResponseCreateParamsNonStreaming;
}

function resultsOf({ told, results }: NonNullable<Question['before']>): readonly object[] {
  return results.map((output, index) => ({ type: 'function_call_output', call_id: told.calls[index]?.id, output }));
}

function toTold({ output, usage, output_text: text }: OpenAI.Responses.Response): Told {
  const calls = output.flatMap((item) =>
    item.type === 'function_call'
      ? [{ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) as Json }]
      : [],
  );
  const thinking = output.flatMap((item) =>
    item.type === 'reasoning' ? [...item.summary, ...(item.content ?? [])] : [],
  );
  return {
    thinking: thinking.map((part) => part.text).join(''),
    text,
    calls,
    finish: calls.length > 0 ? 'calls' : 'stop',
    usage: { input: usage?.input_tokens ?? -1, output: usage?.output_tokens ?? -1 },
    turn: output,
  };
}
