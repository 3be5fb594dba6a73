// Answers of Anthropic, as its API writes them.

import { answer, stream } from './scripts.ts';
import type { Script, UpstreamRequest } from './upstream.ts';

const usage = { input_tokens: 11, cache_creation_input_tokens: 0, cache_read_input_tokens: 4, output_tokens: 7 };

/** Answers like Anthropic, by the path of the request. */
export function anthropic(backend: string): Script {
  return (exchange) => {
    const { target, json, headers } = exchange.request;
    if (headers['anthropic-version'] === undefined) {
      return failure(400, 'invalid_request_error', 'anthropic-version: header is required')(exchange);
    }
    if (target.endsWith('/v1/messages/count_tokens')) return answer({ input_tokens: 4711 })(exchange);
    if (!target.endsWith('/v1/messages')) return failure(404, 'not_found_error', target)(exchange);
    if (typeof json['max_tokens'] !== 'number') {
      return failure(400, 'invalid_request_error', 'max_tokens: Field required')(exchange);
    }
    return (json['stream'] === true ? events(backend) : whole(backend))(exchange);
  };
}

/** An error in Anthropic's form. */
export function failure(status: number, type: string, message: string): Script {
  return answer({ type: 'error', error: { type, message }, request_id: 'req_1' }, { status });
}

const calls = [
  { id: 'toolu_1', name: 'weather', input: { city: 'Oslo' } },
  { id: 'toolu_2', name: 'time', input: { zone: 'UTC' } },
];

function head({ number, json }: UpstreamRequest): object {
  return { id: `msg_${number}`, type: 'message', role: 'assistant', model: json['model'], stop_sequence: null };
}

function whole(backend: string): Script {
  return (exchange) => {
    const { request } = exchange;
    const called = Array.isArray(request.json['tools']) ? calls.map((call) => ({ type: 'tool_use', ...call })) : [];
    const content = [{ type: 'text', text: `hello from ${backend}` }, ...called];
    const reason = called.length > 0 ? 'tool_use' : 'end_turn';
    return answer({ ...head(request), content, stop_reason: reason, usage })(exchange);
  };
}

/** One event as a frame. */
export function eventFrame(event: { readonly type: string; readonly [member: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function events(backend: string): Script {
  return (exchange) => {
    const { request } = exchange;
    const texts = [
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      ...['hello ', 'from ', backend].map((text) => delta(0, { type: 'text_delta', text })),
      { type: 'content_block_stop', index: 0 },
    ];
    const called = Array.isArray(request.json['tools']) ? calls.flatMap(callEvents) : [];
    const reason = called.length > 0 ? 'tool_use' : 'end_turn';
    const message = { ...head(request), content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
    return stream(
      [
        { type: 'message_start', message },
        { type: 'ping' },
        ...texts,
        ...called,
        { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 7 } },
        { type: 'message_stop' },
      ].map(eventFrame),
    )(exchange);
  };
}

function delta(index: number, members: object): { type: string } & Record<string, unknown> {
  return { type: 'content_block_delta', index, delta: members };
}

function callEvents({ input, ...call }: (typeof calls)[number], at: number): ReturnType<typeof delta>[] {
  const index = at + 1;
  const json = JSON.stringify(input);
  return [
    { type: 'content_block_start', index, content_block: { type: 'tool_use', ...call, input: {} } },
    ...[json.slice(0, 5), json.slice(5)].map((part) => delta(index, { type: 'input_json_delta', partial_json: part })),
    { type: 'content_block_stop', index },
  ];
}
