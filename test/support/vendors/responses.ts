// OpenAI's responses. https://platform.openai.com/docs/api-reference/responses

import type { UpstreamRequest } from '../upstream.ts';
import { type Heard, type Json, namedEvent, objectIn, objectsIn, piecesOf, said, type Said, textIn } from './vendor.ts';

/** Whether a request is one of these, and not a chat. */
export function isResponses({ target }: UpstreamRequest): boolean {
  return target.endsWith('/responses');
}

/** A whole response. */
export function wholeResponse(what: Said, request: UpstreamRequest): Json {
  return response(request, 'completed', itemsOf(what));
}

function response({ number, json }: UpstreamRequest, status: string, output: readonly Json[]): Json {
  const usage = {
    input_tokens: said.input,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: said.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: said.input + said.output,
  };
  return {
    id: `resp_${number}`,
    object: 'response',
    created_at: 1_764_000_000,
    model: json['model'],
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    output,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    usage: status === 'completed' ? usage : null,
  };
}

function itemsOf({ thinking = '', text = '', calls = [] }: Said): readonly Json[] {
  const part = { type: 'output_text', text, annotations: [], logprobs: [] };
  return [
    ...(thinking === ''
      ? []
      : [{ id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: thinking }] }]),
    ...(text === '' ? [] : [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] }]),
    ...calls.map(({ id, name, input }) => ({
      id: `fc_${id}`,
      type: 'function_call',
      status: 'completed',
      call_id: id,
      name,
      arguments: JSON.stringify(input),
    })),
  ];
}

/** A streamed one. */
export function responseFrames(what: Said, request: UpstreamRequest): readonly string[] {
  const items = itemsOf(what);
  const events: readonly Json[] = [
    { type: 'response.created', response: response(request, 'in_progress', []) },
    { type: 'response.in_progress', response: response(request, 'in_progress', []) },
    ...items.flatMap((item, index) => [
      { type: 'response.output_item.added', output_index: index, item: begun(item) },
      ...inside(item).map((event) => ({ ...event, output_index: index, item_id: item['id'] })),
      { type: 'response.output_item.done', output_index: index, item },
    ]),
    { type: 'response.completed', response: response(request, 'completed', items) },
  ];
  return events.map((event, number) => namedEvent(String(event['type']), { ...event, sequence_number: number }));
}

function begun(item: Json): Json {
  switch (item['type']) {
    case 'reasoning':
      return { ...item, summary: [] };
    case 'message':
      return { ...item, status: 'in_progress', content: [] };
    default:
      return { ...item, status: 'in_progress', arguments: '' };
  }
}

function inside(item: Json): readonly Json[] {
  if (item['type'] === 'reasoning') {
    const [part = {}] = objectsIn(item['summary']);
    const words = String(part['text']);
    return [
      { type: 'response.reasoning_summary_part.added', summary_index: 0, part: { ...part, text: '' } },
      ...piecesOf(words).map((delta) => ({ type: 'response.reasoning_summary_text.delta', summary_index: 0, delta })),
      { type: 'response.reasoning_summary_text.done', summary_index: 0, text: words },
      { type: 'response.reasoning_summary_part.done', summary_index: 0, part },
    ];
  }
  if (item['type'] === 'message') {
    const [part = {}] = objectsIn(item['content']);
    const words = String(part['text']);
    return [
      { type: 'response.content_part.added', content_index: 0, part: { ...part, text: '' } },
      ...piecesOf(words).map((delta) => ({
        type: 'response.output_text.delta',
        content_index: 0,
        delta,
        logprobs: [],
      })),
      { type: 'response.output_text.done', content_index: 0, text: words, logprobs: [] },
      { type: 'response.content_part.done', content_index: 0, part },
    ];
  }
  const input = String(item['arguments']);
  return [
    ...piecesOf(input, 5).map((delta) => ({ type: 'response.function_call_arguments.delta', delta })),
    { type: 'response.function_call_arguments.done', name: item['name'], arguments: input },
  ];
}

/** How a stream says that it failed. */
export function responseFault(message: string): string {
  return namedEvent('error', { type: 'error', code: 'server_error', message, param: null, sequence_number: 1 });
}

/** What was heard. */
export function hearResponses({ json }: UpstreamRequest): Heard {
  const items =
    typeof json['input'] === 'string' ? [{ role: 'user', content: json['input'] }] : objectsIn(json['input']);
  const of = (type: string): readonly Json[] => items.filter((item) => (item as Json)['type'] === type);
  const messages = items.filter((item) =>
    ['message', undefined].includes((item as Json)['type'] as string | undefined),
  );
  const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? objectsIn(content) : []));
  const format = json['text'] === undefined ? {} : objectIn(objectIn(json['text'])['format'] ?? {});
  return {
    system: textIn(json['instructions'] ?? ''),
    user: messages.filter(({ role }) => role === 'user').map(({ content }) => textIn(content)),
    tools: objectsIn(json['tools']).map(({ name }) => String(name)),
    calls: of('function_call').map(({ call_id: id, name, arguments: input }) => {
      return { id: String(id), name: String(name), input: objectIn(JSON.parse(String(input))) };
    }),
    results: of('function_call_output').map(({ call_id: id, output }) => ({ id: String(id), text: textIn(output) })),
    images: parts.flatMap((part) => {
      if (part['type'] !== 'input_image') return [];
      return [String(part['image_url']).replace(/^data:image\/png;base64,/, '')];
    }),
    schema: format['type'] === 'json_schema' ? objectIn(format['schema']) : undefined,
    thinks: json['reasoning'] !== undefined,
  };
}
