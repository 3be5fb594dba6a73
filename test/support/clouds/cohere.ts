// Cohere's second API as it writes. https://docs.cohere.com/reference/chat

import { checkRequest } from '../../proxy/protocols/cohere/strict-server.ts';
import { answer, stream } from '../scripts.ts';
import type { Script, UpstreamRequest } from '../upstream.ts';
import { answerTo, bytesOf, counts, type Heard, type Json, objects, pieces, type Said } from './said.ts';

const usage = {
  billed_units: { input_tokens: counts.input, output_tokens: counts.output },
  tokens: { input_tokens: counts.input, output_tokens: counts.output },
};

/** Answers like Cohere. */
export function cohere(backend: string): Script {
  return (exchange) => {
    const { target, json } = exchange.request;
    if (target.endsWith('/v2/embed')) return answer(vectors(json))(exchange);
    if (!target.endsWith('/v2/chat')) return refusal(404, `no such path: ${target}`)(exchange);
    try {
      checkRequest(json);
    } catch (error) {
      return refusal(400, (error as Error).message)(exchange);
    }
    const said = answerTo(hear(json), backend);
    const { request } = exchange;
    return (json['stream'] === true ? stream(events(said, request)) : answer(whole(said, request)))(exchange);
  };
}

/** An error in Cohere's form. */
export function refusal(status: number, message: string): Script {
  return answer({ id: 'a-1', message }, { status });
}

function vectors(json: Json): object {
  const texts = json['texts'] as readonly string[];
  const float = texts.map((text) => [Number(text), 0.5, -0.25]);
  return { id: 'e', texts, embeddings: { float }, meta: { billed_units: { input_tokens: 2 * texts.length } } };
}

function hear(json: Json): Heard {
  const messages = objects(json['messages']);
  const lastOther = messages.findLastIndex(({ role }) => role !== 'tool');
  const last = objects(messages.at(-1)?.['content']);
  return {
    results: messages.slice(lastOther + 1).map(({ content }) => textOf(content)),
    hasTools: json['tools'] !== undefined,
    wantsJson: json['response_format'] !== undefined,
    thinks: (json['thinking'] as Json | undefined)?.['type'] === 'enabled',
    pictures: last.flatMap(({ image_url: image }) => {
      return image === undefined ? [] : bytesOf(String((image as Json)['url']).split(',')[1]);
    }),
  };
}

function textOf(content: unknown): string {
  return typeof content === 'string'
    ? content
    : objects(content)
        .map(({ text }) => String(text))
        .join('');
}

function reasonOf({ calls }: Said): string {
  return calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE';
}

function callOf({ name, input }: Said['calls'][number], at: number): object {
  return { id: `${name}_${at}`, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function whole(said: Said, { number }: UpstreamRequest): object {
  const { thinking, text, calls } = said;
  const content = [
    ...(thinking === undefined || calls.length > 0 ? [] : [{ type: 'thinking', thinking }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
  ];
  const called = calls.length === 0 ? {} : { tool_plan: thinking, tool_calls: calls.map(callOf) };
  const message = { role: 'assistant', ...called, ...(content.length > 0 && { content }) };
  return { id: `c0-${number}`, message, finish_reason: reasonOf(said), usage };
}

type Event = { readonly type: string; readonly [member: string]: unknown };

/** What a model thinks before it calls is its plan. A call without arguments has `null` for them. */
function events(said: Said, { number }: UpstreamRequest): readonly string[] {
  const { thinking, text, calls } = said;
  const message = { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] };
  const plan = calls.length === 0 ? [] : pieces(thinking);
  const thought = calls.length === 0 ? thinking : undefined;
  return [
    { type: 'message-start', id: `c0-${number}`, delta: { message } },
    ...plan.map((piece) => ({ type: 'tool-plan-delta', delta: { message: { tool_plan: piece } } })),
    ...contentEvents('thinking', thought, 0),
    ...contentEvents('text', text, thought === undefined ? 0 : 1),
    ...calls.flatMap(callEvents),
    { type: 'message-end', delta: { finish_reason: reasonOf(said), usage } },
  ].map((event: Event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function contentEvents(type: 'text' | 'thinking', text: string | undefined, index: number): readonly Event[] {
  if (text === undefined) return [];
  const delta = (content: object): object => ({ message: { content } });
  return [
    { type: 'content-start', index, delta: delta({ type, [type]: '' }) },
    ...pieces(text).map((piece) => ({ type: 'content-delta', index, delta: delta({ [type]: piece }) })),
    { type: 'content-end', index },
  ];
}

function callEvents({ name, input }: Said['calls'][number], index: number): readonly Event[] {
  const json = JSON.stringify(input);
  const delta = (call: object): object => ({ message: { tool_calls: call } });
  const started = { id: `${name}_${index}`, type: 'function', function: { name, arguments: '' } };
  return [
    { type: 'tool-call-start', index, delta: delta(started) },
    ...(json === '{}' ? ['null'] : [json.slice(0, 5), json.slice(5)]).map((part) => {
      return { type: 'tool-call-delta', index, delta: delta({ function: { arguments: part } }) };
    }),
    { type: 'tool-call-end', index },
  ];
}
