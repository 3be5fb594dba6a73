// Vendors that speak chat completions, each a little differently.
// https://platform.openai.com/docs/api-reference/chat, https://api-docs.deepseek.com, https://docs.mistral.ai/api

import type { UpstreamRequest } from '../upstream.ts';
import {
  dataEvent,
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

interface Traits {
  /** Where thinking is shown. */
  readonly thinking: 'nowhere' | 'reasoning_content' | 'reasoning' | 'content';
  /** Usage comes in the last chunk with a choice, and without being asked for. */
  readonly usageBesideChoices?: boolean;
  /** Calls come whole, one chunk each. */
  readonly wholeCalls?: boolean;
  readonly idPattern?: RegExp;
  /** Members that it does not know are an error. */
  readonly members?: readonly string[];
}

const usage = {
  prompt_tokens: said.input,
  completion_tokens: said.output,
  total_tokens: said.input + said.output,
};

/** A vendor with these traits. */
export function chatCompletions(traits: Traits): Omit<Vendor, 'name' | 'type' | 'model'> {
  return {
    basePath: '/v1',
    secret: 'sk-upstream',
    showsThinking: traits.thinking !== 'nowhere',
    streamType: 'text/event-stream',
    isStreamed: ({ json }) => json['stream'] === true,
    whole: (what, request) => whole(what, request, traits),
    frames: (what, request) => frames(what, request, traits),
    refusal: (message) => ({
      status: 400,
      body: { error: { message, type: 'invalid_request_error', param: null, code: null } },
    }),
    fault: (message) => dataEvent({ error: { message, type: 'server_error', code: 'server_error' } }),
    hear: (request) => hear(request, traits),
  };
}

function head({ number, json }: UpstreamRequest, object: string): Json {
  return { id: `chatcmpl-${number}`, object, created: 1_764_000_000, model: json['model'] };
}

function finishOf({ calls = [] }: Said): string {
  return calls.length > 0 ? 'tool_calls' : 'stop';
}

function shown(thinking: string, { thinking: where }: Traits): Json {
  if (thinking === '' || where === 'nowhere') return {};
  if (where === 'content') return { content: [{ type: 'thinking', thinking: [{ type: 'text', text: thinking }] }] };
  return { [where]: thinking };
}

function whole(what: Said, request: UpstreamRequest, traits: Traits): object {
  const { thinking = '', text = '', calls = [] } = what;
  const { content = [], ...beside } = shown(thinking, traits);
  const message = {
    role: 'assistant',
    ...beside,
    content:
      traits.thinking === 'content' && thinking !== '' ? [...objectsIn(content), { type: 'text', text }] : text || null,
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ id, name, input }) => ({
        id,
        type: 'function',
        function: { name, arguments: JSON.stringify(input) },
      })),
    }),
  };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishOf(what) }];
  return { ...head(request, 'chat.completion'), choices, usage };
}

function frames(what: Said, request: UpstreamRequest, traits: Traits): readonly string[] {
  const { thinking = '', text = '', calls = [] } = what;
  const fixed = head(request, 'chat.completion.chunk');
  const options = request.json['stream_options'] as Json | undefined;
  const wantsUsage = options?.['include_usage'] === true;
  const chunk = (delta: object, finish: string | null = null, rest: object = {}): string =>
    dataEvent({ ...fixed, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...rest });
  return [
    chunk({ role: 'assistant', content: '' }),
    ...piecesOf(traits.thinking === 'nowhere' ? '' : thinking).map((piece) => chunk(shown(piece, traits))),
    ...piecesOf(text).map((content) => chunk({ content })),
    ...callChunks(calls, traits).map((tool) => chunk({ tool_calls: [tool] })),
    chunk({}, finishOf(what), traits.usageBesideChoices === true ? { usage } : {}),
    ...(wantsUsage && traits.usageBesideChoices !== true ? [dataEvent({ ...fixed, choices: [], usage })] : []),
    'data: [DONE]\n\n',
  ];
}

/** Side by side: a fragment of each, and again. */
function callChunks(calls: NonNullable<Said['calls']>, { wholeCalls = false }: Traits): readonly object[] {
  const begin = calls.map(({ id, name, input }, index) => {
    return { index, id, type: 'function', function: { name, arguments: wholeCalls ? JSON.stringify(input) : '' } };
  });
  if (wholeCalls) return begin;
  const parts = calls.map(({ input }) => piecesOf(JSON.stringify(input), 5));
  const rounds = Math.max(0, ...parts.map((pieces) => pieces.length));
  const fragments = Array.from({ length: rounds }, (_, round) =>
    parts.flatMap((pieces, index) =>
      pieces[round] === undefined ? [] : [{ index, function: { arguments: pieces[round] } }],
    ),
  );
  return [...begin, ...fragments.flat()];
}

function hear({ json }: UpstreamRequest, { idPattern, members }: Traits): Heard {
  const unknown = members && Object.keys(json).find((name) => !members.includes(name));
  if (unknown) throw new Error(`Extra inputs are not permitted: ${unknown}`);
  const messages = objectsIn(json['messages']);
  const calls = messages
    .flatMap((message) => objectsIn(message['tool_calls']))
    .map((call) => {
      const { name, arguments: input } = objectIn(call['function']);
      if (typeof input !== 'string') throw new Error('arguments must be a string');
      return { id: String(call['id']), name: String(name), input: objectIn(JSON.parse(input)) };
    });
  const results = messages
    .filter(({ role }) => role === 'tool')
    .map((message) => ({ id: String(message['tool_call_id']), text: textIn(message['content']) }));
  for (const { id } of [...calls, ...results]) if (idPattern?.test(id) === false) throw new Error(`bad id ${id}`);
  for (const { id } of results) if (!calls.some((call) => call.id === id)) throw new Error(`no call ${id}`);
  const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? objectsIn(content) : []));
  const format = json['response_format'] === undefined ? {} : objectIn(json['response_format']);
  return {
    system: messages
      .filter(({ role }) => role === 'system' || role === 'developer')
      .map(({ content }) => textIn(content))
      .join('\n'),
    user: messages.filter(({ role }) => role === 'user').map(({ content }) => textIn(content)),
    tools: objectsIn(json['tools']).map((tool) => String(objectIn(tool['function'])['name'])),
    calls,
    results,
    images: parts.flatMap((part) => {
      if (part['type'] !== 'image_url') return [];
      const url = part['image_url'];
      return [String(typeof url === 'string' ? url : objectIn(url)['url']).replace(/^data:image\/png;base64,/, '')];
    }),
    schema: format['type'] === 'json_schema' ? objectIn(objectIn(format['json_schema'])['schema']) : undefined,
    thinks: json['reasoning_effort'] !== undefined && json['reasoning_effort'] !== 'none',
  };
}
