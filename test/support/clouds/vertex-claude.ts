// Anthropic's models on Vertex AI: Anthropic's protocol, with the model and the version in other places.
// https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai

import { eventFrame, failure } from '../anthropic-answers.ts';
import { answer, stream } from '../scripts.ts';
import type { Script, UpstreamRequest } from '../upstream.ts';
import { answerTo, bytesOf, counts, type Heard, type Json, objects, pieces, type Said } from './said.ts';

/** What all thinking is signed with. */
export const claudeSignature = 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h';

const path = /\/publishers\/anthropic\/models\/([\w.@-]+):(rawPredict|streamRawPredict)$/;
const members =
  'anthropic_version messages system max_tokens stream tools tool_choice thinking output_config temperature top_p top_k stop_sequences metadata'.split(
    ' ',
  );

/** Answers like Anthropic's models there. */
export function vertexClaude(backend: string): Script {
  return (exchange) => {
    const { target, json } = exchange.request;
    const [, model, method] = path.exec(target) ?? [];
    if (json['anthropic_version'] !== 'vertex-2023-10-16') {
      return failure(400, 'invalid_request_error', 'anthropic_version: Field required')(exchange);
    }
    if (model === 'count-tokens') return answer({ input_tokens: 4711 })(exchange);
    const complaint = complaintOf(json, method);
    if (complaint !== undefined) return failure(400, 'invalid_request_error', complaint)(exchange);
    const said = answerTo(hear(json), backend);
    const { request } = exchange;
    return (method === 'streamRawPredict' ? stream(events(said, request)) : answer(whole(said, request)))(exchange);
  };
}

function complaintOf(json: Json, method: string | undefined): string | undefined {
  const unknown = Object.keys(json).find((name) => !members.includes(name));
  if (unknown !== undefined) return `${unknown}: Extra inputs are not permitted`;
  if (method === undefined) return 'no such method';
  if ((json['stream'] === true) !== (method === 'streamRawPredict')) return 'stream: does not fit the method';
  const blocks = objects(json['messages']).flatMap(({ content }) => objects(content));
  const foreign = blocks.find(({ type, signature }) => type === 'thinking' && signature !== claudeSignature);
  return foreign === undefined ? undefined : 'Invalid `signature` in `thinking` block';
}

function hear(json: Json): Heard {
  const last = objects(objects(json['messages']).at(-1)?.['content']);
  const format = (json['output_config'] as Json | undefined)?.['format'];
  const thinking = (json['thinking'] as Json | undefined)?.['type'];
  return {
    results: last.flatMap((block) => (block['type'] === 'tool_result' ? [resultOf(block['content'])] : [])),
    hasTools: json['tools'] !== undefined,
    wantsJson: format !== undefined,
    thinks: thinking === 'enabled' || thinking === 'adaptive',
    pictures: last.flatMap(({ source }) => (source === undefined ? [] : bytesOf((source as Json)['data']))),
  };
}

function resultOf(content: unknown): string {
  return typeof content === 'string'
    ? content
    : objects(content)
        .map(({ text }) => String(text))
        .join('');
}

const usage = { input_tokens: counts.input, output_tokens: counts.output };

function blocksOf({ thinking, text, calls }: Said): readonly Json[] {
  return [
    ...(thinking === undefined ? [] : [{ type: 'thinking', thinking, signature: claudeSignature }]),
    ...(text === undefined ? [] : [{ type: 'text', text }]),
    ...calls.map(({ name, input }, at) => ({ type: 'tool_use', id: `toolu_vrtx_${at}`, name, input })),
  ];
}

function head({ number }: UpstreamRequest): object {
  const model = 'claude-sonnet-4-5-20250929';
  return { id: `msg_vrtx_${number}`, type: 'message', role: 'assistant', model, stop_sequence: null };
}

function reasonOf({ calls }: Said): string {
  return calls.length > 0 ? 'tool_use' : 'end_turn';
}

function whole(said: Said, request: UpstreamRequest): object {
  return { ...head(request), content: blocksOf(said), stop_reason: reasonOf(said), usage };
}

function events(said: Said, request: UpstreamRequest): readonly string[] {
  const message = { ...head(request), content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
  return [
    { type: 'message_start', message },
    { type: 'vertex_event' },
    { type: 'ping' },
    ...blocksOf(said).flatMap((block, index) => blockEvents(block, index)),
    { type: 'message_delta', delta: { stop_reason: reasonOf(said), stop_sequence: null }, usage },
    { type: 'message_stop' },
  ].map(eventFrame);
}

function blockEvents(block: Json, index: number): readonly { readonly type: string }[] {
  const delta = (members: object): { type: string } =>
    ({ type: 'content_block_delta', index, delta: members }) as never;
  const start = (content: object): { type: string } =>
    ({ type: 'content_block_start', index, content_block: content }) as never;
  const end = { type: 'content_block_stop', index };
  switch (block['type']) {
    case 'thinking':
      return [
        start({ type: 'thinking', thinking: '', signature: '' }),
        ...pieces(String(block['thinking'])).map((thinking) => delta({ type: 'thinking_delta', thinking })),
        delta({ type: 'signature_delta', signature: block['signature'] }),
        end,
      ];
    case 'text':
      return [
        start({ type: 'text', text: '' }),
        ...pieces(String(block['text'])).map((text) => delta({ type: 'text_delta', text })),
        end,
      ];
    default: {
      const input = JSON.stringify(block['input']);
      // A call without arguments has no deltas worth the name.
      const parts = input === '{}' ? [''] : [input.slice(0, 5), input.slice(5)];
      return [
        start({ ...block, input: {} }),
        ...parts.map((part) => delta({ type: 'input_json_delta', partial_json: part })),
        end,
      ];
    }
  }
}
