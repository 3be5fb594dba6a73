// Answers of an OpenAI upstream to every operation that the official client has a method for.

import { chat, chunkFrame, doneFrame } from './chat.ts';
import { answer, stream } from './scripts.ts';
import type { Script, UpstreamRequest } from './upstream.ts';

/** Answers like an OpenAI server, by the path of the request. */
export function openai(backend: string): Script {
  return (exchange) => {
    const { target, json } = exchange.request;
    if (target.endsWith('/chat/completions')) {
      return (Array.isArray(json['tools']) ? toolCalls() : chat(backend))(exchange);
    }
    if (target.endsWith('/embeddings')) return embeddings(exchange);
    if (target.endsWith('/responses')) return responses(exchange);
    if (target.endsWith('/completions')) return completions(exchange);
    return answer({ error: { message: `no such operation: ${target}` } }, { status: 404 })(exchange);
  };
}

const embedding = [0.5, -0.25, 1, 0];

/** As the server does it: base64 of 32-bit floats where that is asked for, which is what the official client does. */
const embeddings: Script = (exchange) => {
  const isBase64 = exchange.request.json['encoding_format'] === 'base64';
  const value = isBase64 ? Buffer.from(new Float32Array(embedding).buffer).toString('base64') : embedding;
  const data = [{ object: 'embedding', index: 0, embedding: value }];
  const usage = { prompt_tokens: 2, total_tokens: 2 };
  return answer({ object: 'list', data, model: 'embedder', usage })(exchange);
};

const completions: Script = (exchange) => {
  const { request } = exchange;
  const fixed = { id: 'cmpl-1', object: 'text_completion', created: 1, model: request.json['model'] };
  const choice = (text: string, finish: string | null): object => ({
    choices: [{ index: 0, text, logprobs: null, finish_reason: finish }],
  });
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  if (request.json['stream'] !== true) return answer({ ...fixed, ...choice('once upon', 'stop'), usage })(exchange);
  const frames = [choice('once ', null), choice('upon', null), choice('', 'stop')];
  return stream([...frames.map((frame) => `data: ${JSON.stringify({ ...fixed, ...frame })}\n\n`), doneFrame])(exchange);
};

const responses: Script = (exchange) => {
  const { request } = exchange;
  return request.json['stream'] === true
    ? stream(responseFrames(request))(exchange)
    : answer(response(request, 'completed', 'good day'))(exchange);
};

function response({ json }: UpstreamRequest, status: string, text: string): object {
  const content = [{ type: 'output_text', text, annotations: [] }];
  const message = { id: 'msg_1', type: 'message', role: 'assistant', status, content };
  const usage = {
    input_tokens: 1,
    output_tokens: 2,
    total_tokens: 3,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  };
  const whole = status === 'completed';
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    model: json['model'],
    status,
    error: null,
    incomplete_details: null,
    output: whole ? [message] : [],
    ...(whole ? { usage } : {}),
  };
}

function responseFrames(request: UpstreamRequest): string[] {
  const part = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  const item = { id: 'msg_1', type: 'message', role: 'assistant', content: [] };
  const events: { readonly type: string; readonly [member: string]: unknown }[] = [
    { type: 'response.created', response: response(request, 'in_progress', '') },
    { type: 'response.in_progress', response: response(request, 'in_progress', '') },
    { type: 'response.output_item.added', output_index: 0, item },
    { type: 'response.content_part.added', ...part, part: { type: 'output_text', text: '', annotations: [] } },
    { type: 'response.output_text.delta', ...part, delta: 'good ' },
    { type: 'response.output_text.delta', ...part, delta: 'day' },
    { type: 'response.output_text.done', ...part, text: 'good day' },
    { type: 'response.completed', response: response(request, 'completed', 'good day') },
  ];
  return events.map(
    (event, sequence) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence })}\n\n`,
  );
}

const calls = [
  { id: 'call_a', name: 'weather', arguments: ['{"city":', '"Oslo"}'] },
  { id: 'call_b', name: 'time', arguments: ['{"zone":"UT', 'C"}'] },
] as const;

/** Two calls of tools at once; in a stream their arguments come in turns. */
function toolCalls(): Script {
  return (exchange) => {
    const { request } = exchange;
    if (request.json['stream'] !== true) return answer(wholeToolCalls(request))(exchange);
    const delta = (members: object, finish: string | null = null): string =>
      chunkFrame(request, { choices: [{ index: 0, delta: members, finish_reason: finish }] });
    const begin = calls.map((call, index) =>
      delta({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }] }),
    );
    const parts = [0, 1].flatMap((part) =>
      calls.map((call, index) => delta({ tool_calls: [{ index, function: { arguments: call.arguments[part] } }] })),
    );
    const frames = [
      delta({ role: 'assistant', content: null }),
      ...begin,
      ...parts,
      delta({}, 'tool_calls'),
      doneFrame,
    ];
    return stream(frames)(exchange);
  };
}

function wholeToolCalls({ json }: UpstreamRequest): object {
  const toolCalls = calls.map(({ id, name, arguments: parts }) => ({
    id,
    type: 'function',
    function: { name, arguments: parts.join('') },
  }));
  const message = { role: 'assistant', content: null, refusal: null, tool_calls: toolCalls };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'tool_calls' }];
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  return { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: json['model'], choices, usage };
}
