// Cohere's chat, v2. https://docs.cohere.com/reference/chat, https://docs.cohere.com/docs/streaming

import { checkRequest } from '../../proxy/protocols/cohere/strict-server.ts';
import type { UpstreamRequest } from '../upstream.ts';
import {
  type Heard,
  type Json,
  namedEvent,
  objectIn,
  objectsIn,
  piecesOf,
  said,
  type Said,
  textIn,
  type Vendor,
} from './vendor.ts';

const usage = {
  billed_units: { input_tokens: said.input, output_tokens: said.output },
  tokens: { input_tokens: said.input, output_tokens: said.output },
};

/** Cohere itself. */
export const cohereVendor: Vendor = {
  name: 'Cohere',
  type: 'Cohere',
  model: 'command-a-reasoning-08-2025',
  basePath: '',
  secret: 'co-upstream',
  showsThinking: true,
  streamType: 'text/event-stream',
  isStreamed: ({ json }) => json['stream'] === true,
  whole: (what, request) => ({
    id: `co-${request.number}`,
    message: { role: 'assistant', content: contentOf(what), ...(what.calls && { tool_calls: what.calls.map(toCall) }) },
    finish_reason: finishOf(what),
    usage,
  }),
  frames,
  refusal: (message) => ({ status: 400, body: { id: 'e1', message } }),
  hear,
};

function finishOf({ calls = [] }: Said): string {
  return calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE';
}

function contentOf({ thinking = '', text = '' }: Said): readonly Json[] {
  return [
    ...(thinking === '' ? [] : [{ type: 'thinking', thinking }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
  ];
}

function toCall({ id, name, input }: NonNullable<Said['calls']>[number]): Json {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

function frames(what: Said, request: UpstreamRequest): readonly string[] {
  const { thinking = '', text = '', calls = [] } = what;
  const event = (type: string, message: object, rest: object = {}): string =>
    namedEvent(type, { type, ...rest, delta: { message } });
  const contents = (
    [
      ['thinking', thinking],
      ['text', text],
    ] as const
  ).filter(([, words]) => words !== '');
  return [
    namedEvent('message-start', {
      id: `co-${request.number}`,
      type: 'message-start',
      delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
    }),
    ...contents.flatMap(([type, words], index) => [
      event('content-start', { content: { type, [type]: '' } }, { index }),
      ...piecesOf(words).map((piece) => event('content-delta', { content: { [type]: piece } }, { index })),
      namedEvent('content-end', { type: 'content-end', index }),
    ]),
    ...calls.flatMap(({ id, name, input }, index) => [
      event('tool-call-start', { tool_calls: { id, type: 'function', function: { name, arguments: '' } } }, { index }),
      ...piecesOf(JSON.stringify(input), 5).map((piece) =>
        event('tool-call-delta', { tool_calls: { function: { arguments: piece } } }, { index }),
      ),
      namedEvent('tool-call-end', { type: 'tool-call-end', index }),
    ]),
    namedEvent('message-end', { type: 'message-end', delta: { finish_reason: finishOf(what), usage } }),
  ];
}

function hear({ json, target }: UpstreamRequest): Heard {
  if (target !== '/v2/chat') throw new Error(`no such operation: ${target}`);
  checkRequest(json);
  const messages = objectsIn(json['messages']);
  const of = (role: string): readonly Json[] => messages.filter((one) => one['role'] === role);
  const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? objectsIn(content) : []));
  const format = json['response_format'] === undefined ? {} : objectIn(json['response_format']);
  return {
    system: of('system')
      .map(({ content }) => textIn(content))
      .join('\n'),
    user: of('user').map(({ content }) => textIn(content)),
    tools: objectsIn(json['tools']).map((tool) => String(objectIn(tool['function'])['name'])),
    calls: of('assistant')
      .flatMap((message) => objectsIn(message['tool_calls']))
      .map((call) => {
        const { name, arguments: input } = objectIn(call['function']);
        return { id: String(call['id']), name: String(name), input: objectIn(JSON.parse(String(input))) };
      }),
    results: of('tool').map(({ tool_call_id: id, content }) => ({ id: String(id), text: resultText(content) })),
    images: parts.flatMap((part) => {
      if (part['type'] !== 'image_url') return [];
      return [String(objectIn(part['image_url'])['url']).replace(/^data:image\/png;base64,/, '')];
    }),
    schema: format['json_schema'] === undefined ? undefined : objectIn(format['json_schema']),
    thinks: json['thinking'] !== undefined && objectIn(json['thinking'])['type'] === 'enabled',
  };
}

/** Results are text, or documents. */
function resultText(content: unknown): string {
  if (typeof content === 'string') return content;
  return objectsIn(content)
    .map((part) => (part['type'] === 'document' ? String(objectIn(part['document'])['data']) : String(part['text'])))
    .join('');
}
