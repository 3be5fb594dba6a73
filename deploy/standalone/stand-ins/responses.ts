// `/v1/responses` of a stand-in. https://platform.openai.com/docs/api-reference/responses-streaming

import {
  type Answer,
  type AnswerContext,
  countTokens,
  frame,
  isObject,
  type JsonObject,
  textOf,
  write,
} from './answer.ts';

/** Answers with one message of text. */
export function answerResponses(request: JsonObject, context: AnswerContext): Answer {
  const { input } = request;
  const last: unknown = Array.isArray(input) ? input.at(-1) : input;
  const question = isObject(last) ? textOf(last['content']) : textOf(last);
  const { pieces, cut } = write(context.name, question, request['max_output_tokens']);
  const text = pieces.join('').trimEnd();
  const part = { type: 'output_text', text, annotations: [], logprobs: [] };
  const item = { id: `msg_${context.id}`, type: 'message', role: 'assistant' };
  const status = cut ? 'incomplete' : 'completed';
  const done = { ...item, status, content: [part] };
  const usage = { input_tokens: countTokens(question), output_tokens: pieces.length };
  const response = {
    ...head(request, context),
    status,
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output: [done],
    usage: {
      ...usage,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.input_tokens + usage.output_tokens,
    },
  };
  if (request['stream'] !== true) return { type: 'json', status: 200, body: response };
  const begun = { ...head(request, context), status: 'in_progress', output: [], usage: null };
  const place = { item_id: item.id, output_index: 0, content_index: 0 };
  return toStream([
    ['response.created', { response: begun }],
    ['response.in_progress', { response: begun }],
    ['response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', content: [] } }],
    ['response.content_part.added', { ...place, part: { ...part, text: '' } }],
    ...pieces.map((delta) => ['response.output_text.delta', { ...place, delta, logprobs: [] }] as const),
    ['response.output_text.done', { ...place, text, logprobs: [] }],
    ['response.content_part.done', { ...place, part }],
    ['response.output_item.done', { output_index: 0, item: done }],
    [cut ? 'response.incomplete' : 'response.completed', { response }],
  ]);
}

function toStream(events: readonly (readonly [string, JsonObject])[]): Answer {
  const frames = events.map(([type, facts], index) => frame({ type, sequence_number: index, ...facts }, type));
  return { type: 'stream', frames };
}

function head(request: JsonObject, { name, id, createdAt }: AnswerContext): JsonObject {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: createdAt,
    model: typeof request['model'] === 'string' ? request['model'] : name,
    error: null,
    instructions: request['instructions'] ?? null,
    metadata: request['metadata'] ?? {},
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    temperature: 1,
    top_p: 1,
  };
}
