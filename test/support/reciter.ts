// An upstream that always says the same text, in the protocol that it is asked in, and may stop in the middle of it: what
// another one must be able to go on with. Counts a token for each word.

import { answer, streamHead } from './scripts.ts';
import { eventFrame, failure } from './anthropic-answers.ts';
import { encodeChunk, encodeHead, lastChunk } from './upstream-wire.ts';
import type { Script, UpstreamExchange, UpstreamRequest } from './upstream.ts';

/** What is said. */
export const recitation = Array.from({ length: 60 }, (_, index) => `word${index + 1}`).join(' ');

/** How a reciter differs from one that says all of it. */
export interface ReciterOptions {
  /** Another text. */
  readonly text?: string;
  /** Words after which it stops, and how. */
  readonly stopAfter?: number;
  readonly stop?: 'end' | 'reset' | 'stall' | 'error';
  /** What it does with the beginning of an answer: goes on, says it again, refuses it, or pays no heed. */
  readonly prefill?: 'goes-on' | 'echoes' | 'refuses' | 'ignores';
  readonly gapMs?: number;
  /** Before the first word; before the head, if the answer is whole. */
  readonly firstAfterMs?: number;
  /** Words after which a frame is no JSON; a whole answer is none at all. */
  readonly malformedAfter?: number;
  /** Leaves out the marker of the end. */
  readonly unmarked?: boolean;
}

/** Recites, by the path of the request. */
export function reciter(options: ReciterOptions = {}): Script {
  const { text = recitation, prefill = 'goes-on' } = options;
  return async (exchange) => {
    const { request } = exchange;
    const begun = begunText(request);
    if (begun !== undefined && prefill === 'refuses') return refuse(request)(exchange);
    const goesOn = begun !== undefined && prefill === 'goes-on' && text.startsWith(begun);
    const rest = goesOn ? text.slice(begun.length) : text;
    const wire = wireOf(request, rest);
    await (isStream(request) ? say(exchange, wire, rest, options) : hand(exchange, wire, options));
  };
}

async function say(exchange: UpstreamExchange, wire: Wire, text: string, options: ReciterOptions): Promise<void> {
  const { stopAfter = Infinity, malformedAfter, gapMs = 0, firstAfterMs = 0, unmarked = false } = options;
  await exchange.send(wire.head);
  await exchange.wait(firstAfterMs);
  for (const frame of wire.open) await exchange.send(encodeChunk(frame));
  for (const [index, word] of wordsOf(text).entries()) {
    if (index === stopAfter) return stopNow(exchange, options.stop ?? 'end', wire.error);
    if (index === malformedAfter) await exchange.send(encodeChunk('data: {"choices": [{"delta": {"content": \n\n'));
    await exchange.send(encodeChunk(wire.word(word)));
    if (gapMs > 0) await exchange.wait(gapMs);
  }
  for (const frame of wire.close) if (!unmarked || !frame.includes('[DONE]')) await exchange.send(encodeChunk(frame));
  await exchange.send(lastChunk);
}

/** A whole answer stops after its head where it stalls, and else in the middle. */
async function hand(exchange: UpstreamExchange, wire: Wire, options: ReciterOptions): Promise<void> {
  const { stopAfter, stop = 'end', malformedAfter, firstAfterMs = 0 } = options;
  const body = JSON.stringify(wire.whole());
  await exchange.wait(firstAfterMs);
  if (malformedAfter !== undefined) return answer(`${body.slice(0, body.length / 2)}"oops`)(exchange);
  if (stopAfter === undefined) return answer(body)(exchange);
  const head = encodeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
  await exchange.send(head);
  if (stop !== 'stall') await exchange.send(body.slice(0, body.length / 2));
  await stopNow(exchange, stop, '');
}

/** Words with the space before them. */
function wordsOf(text: string): string[] {
  return text.match(/\s*\S+/g) ?? [];
}

async function stopNow(exchange: UpstreamExchange, stop: ReciterOptions['stop'], error: string): Promise<void> {
  if (stop === 'error') await exchange.send(encodeChunk(error));
  else if (stop === 'reset') exchange.reset();
  else if (stop === 'end') exchange.end();
  await exchange.closed;
}

/** The beginning of the answer, where the request has one. */
function begunText({ json }: UpstreamRequest): string | undefined {
  const { messages } = json as { readonly messages?: readonly { readonly role: string; readonly content: unknown }[] };
  const last = messages?.at(-1);
  if (last?.role !== 'assistant') return undefined;
  const { content } = last;
  return typeof content === 'string'
    ? content
    : (content as { readonly text: string }[]).map((part) => part.text).join('');
}

function refuse({ target }: UpstreamRequest): Script {
  const message =
    'This model does not support assistant message prefill. The conversation must end with a user message.';
  if (target.endsWith('/messages')) return failure(400, 'invalid_request_error', message);
  const error = { message, type: 'invalid_request_error', param: 'messages', code: 'invalid_prefill' };
  return answer({ error }, { status: 400 });
}

function isStream({ json, target }: UpstreamRequest): boolean {
  return target.includes('/api/') ? json['stream'] !== false : json['stream'] === true;
}

/** One answer in one protocol. */
interface Wire {
  readonly head: Buffer;
  readonly open: readonly string[];
  readonly word: (word: string) => string;
  readonly close: readonly string[];
  readonly error: string;
  readonly whole: () => object;
}

function wireOf(request: UpstreamRequest, text: string): Wire {
  const { target } = request;
  if (target.endsWith('/chat/completions')) return chatWire(request, text);
  if (target.endsWith('/completions')) return completionWire(request, text);
  if (target.endsWith('/responses')) return responseWire(request, text);
  if (target.endsWith('/messages')) return messageWire(request, text);
  return ollamaWire(request, text);
}

/** What the request is taken to have: the same for all, so that sums can be foretold. */
export const inputTokens = 20;

function chatUsage(words: number): object {
  return { prompt_tokens: inputTokens, completion_tokens: words, total_tokens: inputTokens + words };
}

const boom = `data: ${JSON.stringify({ error: { message: 'secret words', type: 'server_error', code: 'boom' } })}\n\n`;

function chatWire({ number, json }: UpstreamRequest, text: string): Wire {
  const fixed = { id: `chatcmpl-${number}`, created: 1, model: json['model'] };
  const words = wordsOf(text).length;
  const frame = (members: object): string =>
    `data: ${JSON.stringify({ ...fixed, object: 'chat.completion.chunk', ...members })}\n\n`;
  const choice = (delta: object, finish: string | null = null): object => ({
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const asksUsage = (json['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage === true;
  return {
    head: streamHead(),
    open: [frame(choice({ role: 'assistant', content: '' }))],
    word: (word) => frame(choice({ content: word })),
    close: [
      frame(choice({}, 'stop')),
      ...(asksUsage ? [frame({ choices: [], usage: chatUsage(words) })] : []),
      'data: [DONE]\n\n',
    ],
    error: boom,
    whole: () => ({
      ...fixed,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
      usage: chatUsage(words),
    }),
  };
}

function completionWire({ number, json }: UpstreamRequest, text: string): Wire {
  const fixed = { id: `cmpl-${number}`, object: 'text_completion', created: 1, model: json['model'] };
  const usage = chatUsage(wordsOf(text).length);
  const choice = (piece: string, finish: string | null): object => ({
    choices: [{ index: 0, text: piece, logprobs: null, finish_reason: finish }],
  });
  const frame = (members: object): string => `data: ${JSON.stringify({ ...fixed, ...members })}\n\n`;
  return {
    head: streamHead(),
    open: [],
    word: (word) => frame(choice(word, null)),
    close: [frame(choice('', 'stop')), frame({ choices: [], usage }), 'data: [DONE]\n\n'],
    error: boom,
    whole: () => ({ ...fixed, ...choice(text, 'stop'), usage }),
  };
}

function responseWire({ number, json }: UpstreamRequest, text: string): Wire {
  const id = `msg_${number}_of_the_upstream`;
  const words = wordsOf(text).length;
  const item = (status: string, said: string): object => ({
    id,
    type: 'message',
    role: 'assistant',
    status,
    content: said === '' ? [] : [{ type: 'output_text', text: said, annotations: [] }],
  });
  const response = (status: string, output: readonly object[]): object => ({
    id: `resp_${number}`,
    object: 'response',
    created_at: 1,
    model: json['model'],
    status,
    error: null,
    incomplete_details: null,
    output,
    usage:
      status === 'completed'
        ? {
            input_tokens: inputTokens,
            output_tokens: words,
            total_tokens: inputTokens + words,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens_details: { reasoning_tokens: 0 },
          }
        : null,
  });
  let sequence = 0;
  const event = (type: string, members: object): string =>
    eventFrame({ type, sequence_number: sequence++, ...members });
  const thought = { id: `rs_${number}`, type: 'reasoning', summary: [] };
  const place = { item_id: id, output_index: 1, content_index: 0 };
  const part = (said: string): object => ({ part: { type: 'output_text', text: said, annotations: [] } });
  const open = [
    event('response.created', { response: response('in_progress', []) }),
    event('response.in_progress', { response: response('in_progress', []) }),
    event('response.output_item.added', { output_index: 0, item: thought }),
    event('response.output_item.done', { output_index: 0, item: thought }),
    event('response.output_item.added', { output_index: 1, item: item('in_progress', '') }),
    event('response.content_part.added', { ...place, ...part('') }),
  ];
  return {
    head: streamHead(),
    open,
    word: (delta) => event('response.output_text.delta', { ...place, delta, logprobs: [] }),
    get close() {
      return [
        event('response.output_text.done', { ...place, text }),
        event('response.content_part.done', { ...place, ...part(text) }),
        event('response.output_item.done', { output_index: 1, item: item('completed', text) }),
        event('response.completed', { response: response('completed', [thought, item('completed', text)]) }),
      ];
    },
    get error() {
      return event('error', { code: 'boom', message: 'secret words', param: null });
    },
    whole: () => response('completed', [thought, item('completed', text)]),
  };
}

function messageWire({ number, json }: UpstreamRequest, text: string): Wire {
  const fixed = { id: `msg_${number}`, type: 'message', role: 'assistant', model: json['model'] };
  const words = wordsOf(text).length;
  const usage = { input_tokens: inputTokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const end = { stop_reason: 'end_turn', stop_sequence: null };
  const start = {
    ...fixed,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usage, output_tokens: 1 },
  };
  return {
    head: streamHead(),
    open: [
      eventFrame({ type: 'message_start', message: start }),
      eventFrame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      eventFrame({ type: 'ping' }),
    ],
    word: (word) => eventFrame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: word } }),
    close: [
      eventFrame({ type: 'content_block_stop', index: 0 }),
      eventFrame({ type: 'message_delta', delta: end, usage: { output_tokens: words } }),
      eventFrame({ type: 'message_stop' }),
    ],
    error: eventFrame({ type: 'error', error: { type: 'overloaded_error', message: 'secret words' } }),
    whole: () => ({ ...fixed, content: [{ type: 'text', text }], ...end, usage: { ...usage, output_tokens: words } }),
  };
}

function ollamaWire({ target, json }: UpstreamRequest, text: string): Wire {
  const said = (words: string): object =>
    target.endsWith('/api/chat') ? { message: { role: 'assistant', content: words } } : { response: words };
  const fixed = { model: json['model'], created_at: '2026-11-01T00:00:00.000000001Z' };
  const final = {
    done: true,
    done_reason: 'stop',
    total_duration: 1_000_000,
    load_duration: 1,
    prompt_eval_count: inputTokens,
    prompt_eval_duration: 400_000,
    eval_count: wordsOf(text).length,
    eval_duration: 600_000,
  };
  const line = (members: object): string => `${JSON.stringify({ ...fixed, ...members })}\n`;
  return {
    head: encodeHead(200, { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' }),
    open: [],
    word: (word) => line({ ...said(word), done: false }),
    close: [line({ ...said(''), ...final })],
    error: line({ error: 'secret words' }),
    whole: () => ({ ...fixed, ...said(text), ...final }),
  };
}
