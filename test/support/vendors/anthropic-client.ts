// Anthropic's client.

import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic0';
import { type OfficialClient, type Question, type Told, toolParameters, usualModel } from './client.ts';
import type { Json } from './vendor.ts';

/** One of its two versions. */
export function anthropicMessages(version: '0.137' | '1.x'): OfficialClient {
  return {
    name: `anthropic ${version}`,
    async ask(baseURL, question, streamed) {
      const { messages } = clientOf(version, baseURL);
      const request = requestOf(question);
      return toTold(streamed ? await messages.stream(request).finalMessage() : await messages.create(request));
    },
    async *listen(baseURL, question, signal) {
      const { messages } = clientOf(version, baseURL);
      const stream = await messages.create({ ...requestOf(question), stream: true }, { signal });
      for await (const event of stream) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text;
      }
    },
    statusOf: (error) => (error as { status?: number }).status,
  };
}

function clientOf(version: '0.137' | '1.x', baseURL: string): Anthropic {
  const options = { apiKey: 'nobody', baseURL, maxRetries: 0 };
  // The two versions have the same surface as far as the tests go.
  return version === '1.x' ? new Anthropic(options) : (new Anthropic0(options) as unknown as Anthropic);
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
}: Question): Anthropic.MessageCreateParamsNonStreaming {
  const source = { type: 'base64', media_type: 'image/png', data: image };
  const request = {
    model,
    max_tokens: 4096,
    ...(system !== undefined && { system }),
    messages: [
      {
        role: 'user',
        content: [{ type: 'text', text: user }, ...(image === undefined ? [] : [{ type: 'image', source }])],
      },
      ...(before === undefined
        ? []
        : [
            { role: 'assistant', content: before.told.turn },
            { role: 'user', content: resultsOf(before) },
          ]),
    ],
    ...(tools && { tools: tools.map((name) => ({ name, input_schema: toolParameters })) }),
    ...(schema && { output_config: { format: { type: 'json_schema', schema } } }),
    ...(thinks === true && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
  };
  return request as unknown as Anthropic.MessageCreateParamsNonStreaming;
}

function resultsOf({ told, results }: NonNullable<Question['before']>): readonly object[] {
  return results.map((content, index) => ({ type: 'tool_result', tool_use_id: told.calls[index]?.id, content }));
}

function toTold({ content, stop_reason: reason, usage }: Anthropic.Message): Told {
  const of = (read: (block: Anthropic.ContentBlock) => string): string => content.map(read).join('');
  return {
    thinking: of((block) => (block.type === 'thinking' ? block.thinking : '')),
    text: of((block) => (block.type === 'text' ? block.text : '')),
    calls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ id: block.id, name: block.name, input: block.input as Json }] : [],
    ),
    finish: reason === 'tool_use' ? 'calls' : 'stop',
    usage: { input: usage.input_tokens, output: usage.output_tokens },
    turn: content,
  };
}
