// Anthropic's messages. https://platform.claude.com/docs/en/api/messages

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

const inputUsage = { input_tokens: said.input, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const signature = 'c2lnbmF0dXJl';

/** Anthropic itself. */
export const anthropicVendor: Vendor = {
  name: 'Anthropic',
  type: 'Anthropic',
  model: 'claude-sonnet-4-5-20250929',
  basePath: '',
  secret: 'sk-ant-api-upstream',
  showsThinking: true,
  streamType: 'text/event-stream; charset=utf-8',
  isStreamed: ({ json }) => json['stream'] === true,
  whole: (what, request) => ({
    ...head(request),
    content: blocksOf(what),
    stop_reason: stopOf(what),
    stop_sequence: null,
    usage: { ...inputUsage, output_tokens: said.output },
  }),
  frames,
  refusal: (message) => ({
    status: 400,
    body: { type: 'error', error: { type: 'invalid_request_error', message }, request_id: 'req_1' },
  }),
  fault: (message) => namedEvent('error', { type: 'error', error: { type: 'overloaded_error', message } }),
  hear,
};

const vertexPath = /\/publishers\/anthropic\/models\/([\w.@-]+):(rawPredict|streamRawPredict)$/;
const vertexMembers = new Set(
  'anthropic_version messages system max_tokens stream tools tool_choice thinking output_config temperature top_p top_k stop_sequences metadata'.split(
    ' ',
  ),
);

/** Its models on Vertex AI: model and version are in other places. https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai */
export const vertexClaudeVendor: Vendor = {
  ...anthropicVendor,
  name: 'VertexAI Claude',
  type: 'VertexAI',
  model: 'claude-sonnet-4-5@20250929',
  secret: 'ya29.upstream',
  settings: { vertexAI: { project: 'my-project', location: 'europe-west4' } },
  isStreamed: ({ target }) => target.endsWith(':streamRawPredict'),
  hear({ target, json, headers }) {
    const [, model, method] = vertexPath.exec(target) ?? [];
    if (model !== 'claude-sonnet-4-5@20250929') throw new Error(`no such operation: ${target}`);
    const unknown = Object.keys(json).find((name) => !vertexMembers.has(name));
    if (unknown !== undefined) throw new Error(`${unknown}: Extra inputs are not permitted`);
    if ((json['stream'] === true) !== (method === 'streamRawPredict')) throw new Error('stream: not of this operation');
    if (json['anthropic_version'] !== 'vertex-2023-10-16') throw new Error('anthropic_version: Field required');
    return hear({ json, headers: { ...headers, 'anthropic-version': 'in the body' } });
  },
};

function head({ number, json }: UpstreamRequest): Json {
  return { id: `msg_${number}`, type: 'message', role: 'assistant', model: json['model'] };
}

function stopOf({ calls = [] }: Said): string {
  return calls.length > 0 ? 'tool_use' : 'end_turn';
}

function blocksOf({ thinking = '', text = '', calls = [] }: Said): readonly Json[] {
  return [
    ...(thinking === '' ? [] : [{ type: 'thinking', thinking, signature }]),
    ...(text === '' ? [] : [{ type: 'text', text }]),
    ...calls.map((call) => ({ type: 'tool_use', ...call })),
  ];
}

function frames(what: Said, request: UpstreamRequest): readonly string[] {
  const event = (type: string, members: object): string => namedEvent(type, { type, ...members });
  const message = { ...head(request), content: [], stop_reason: null, stop_sequence: null };
  return [
    event('message_start', { message: { ...message, usage: { ...inputUsage, output_tokens: 1 } } }),
    event('ping', {}),
    ...blocksOf(what).flatMap((block, index) => [
      event('content_block_start', { index, content_block: emptied(block) }),
      ...deltasOf(block).map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ]),
    event('message_delta', {
      delta: { stop_reason: stopOf(what), stop_sequence: null },
      usage: { output_tokens: said.output },
    }),
    event('message_stop', {}),
  ];
}

function emptied(block: Json): Json {
  switch (block['type']) {
    case 'thinking':
      return { ...block, thinking: '', signature: '' };
    case 'text':
      return { ...block, text: '' };
    default:
      return { ...block, input: {} };
  }
}

function deltasOf({ type, thinking, text, input }: Json): readonly Json[] {
  switch (type) {
    case 'thinking':
      return [
        ...piecesOf(String(thinking)).map((piece) => ({ type: 'thinking_delta', thinking: piece })),
        { type: 'signature_delta', signature },
      ];
    case 'text':
      return piecesOf(String(text)).map((piece) => ({ type: 'text_delta', text: piece }));
    default:
      return ['', ...piecesOf(JSON.stringify(input), 5)].map((piece) => ({
        type: 'input_json_delta',
        partial_json: piece,
      }));
  }
}

function hear({ json, headers }: Pick<UpstreamRequest, 'json' | 'headers'>): Heard {
  if (headers['anthropic-version'] === undefined) throw new Error('anthropic-version: header is required');
  if (typeof json['max_tokens'] !== 'number') throw new Error('max_tokens: Field required');
  const messages = objectsIn(json['messages']);
  const blocks = messages.flatMap(({ role, content }) =>
    typeof content === 'string'
      ? [{ role, type: 'text', text: content }]
      : objectsIn(content).map((block) => ({ role, ...block })),
  ) as readonly Json[];
  if (blocks.some(({ type, text }) => type === 'text' && String(text).trim() === '')) {
    throw new Error('messages: text content blocks must be non-empty');
  }
  const of = (type: string): readonly Json[] => blocks.filter((block) => block['type'] === type);
  const output = json['output_config'] === undefined ? {} : objectIn(json['output_config']);
  const thinking = json['thinking'] === undefined ? {} : objectIn(json['thinking']);
  return {
    system: textIn(json['system'] ?? ''),
    user: of('text')
      .filter(({ role }) => role === 'user')
      .map(({ text }) => String(text)),
    tools: objectsIn(json['tools']).map(({ name }) => String(name)),
    calls: of('tool_use').map(({ id, name, input }) => ({
      id: String(id),
      name: String(name),
      input: objectIn(input),
    })),
    results: of('tool_result').map(({ tool_use_id: id, content }) => ({ id: String(id), text: textIn(content) })),
    images: of('image').map(({ source }) => String(objectIn(source)['data'])),
    schema: output['format'] === undefined ? undefined : objectIn(objectIn(output['format'])['schema']),
    thinks: thinking['type'] === 'enabled' || thinking['type'] === 'adaptive',
  };
}
