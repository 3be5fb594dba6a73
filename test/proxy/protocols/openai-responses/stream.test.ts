import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Block } from '../../../../proxy/canonical/block.ts';
import type { CanonicalResponse, StreamPart } from '../../../../proxy/canonical/response.ts';
import { openaiResponsesClientCodec } from '../../../../proxy/protocols/openai-responses/codec.ts';
import { protocols } from '../../../../proxy/protocols/registry.ts';
import { readSseEvent } from '../../../../proxy/protocols/sse-event.ts';
import { context, response, toParts } from '../openai-chat/answer.ts';
import { framesOf } from '../fixture.ts';
import { clientOf } from '../sdk.ts';

const versions = ['v6', 'v7'] as const;
const ask = { model: 'm', input: 'hi' };

interface Event {
  readonly type: string;
  readonly sequence_number: number;
  readonly output_index?: number;
  readonly item_id?: string;
  readonly item?: { readonly id: string };
  readonly response?: { readonly id: string; readonly status: string; readonly output: readonly unknown[] };
  readonly [name: string]: unknown;
}

function encode(parts: readonly StreamPart[]): Buffer {
  const encoder = openaiResponsesClientCodec.streamEncoder(context);
  return Buffer.concat(parts.map((part) => encoder.encode(part)));
}

function eventsOf(parts: readonly StreamPart[]): readonly Event[] {
  return framesOf(encode(parts)).map((frame) => {
    const { event, data } = readSseEvent(frame);
    const json = JSON.parse(data ?? '') as Event;
    expect(json.type).toBe(event);
    return json;
  });
}

function answer(content: readonly Block[], details: Partial<CanonicalResponse> = {}): CanonicalResponse {
  return { id: 'a', model: 'm', createdAt: 7, content, finish: 'stop', metadata: {}, ...details };
}

const usage = { inputTokens: 3, outputTokens: 2 };
const text = { type: 'text', text: 'Hello' } as const;
const thinking = { type: 'thinking', text: 'Hm…' } as const;
const call = { type: 'tool-call', id: 'call_1', tool: 'f', input: '{"a":1}' } as const;
const other = { type: 'tool-call', id: 'call_2', tool: 'g', input: '{}' } as const;

const cases: readonly (readonly [string, readonly Block[]])[] = [
  ['text', [text]],
  ['reasoning', [thinking, text]],
  ['a refusal', [{ type: 'refusal', text: 'No.' }]],
  ['one tool', [call]],
  ['two tools', [thinking, text, call, other]],
  ['nothing', []],
];

describe('a stream', () => {
  test('says the whole life of a message, byte for byte', () => {
    const bytes = encode(toParts(answer([text], { usage }), [3], false)).toString();
    const response = (status: string, output: string, tokens: string): string =>
      `{"id":"resp_a","object":"response","created_at":7,"model":"m","status":"${status}","background":false,` +
      `"error":null,"incomplete_details":null,"output":${output},"previous_response_id":null,"store":false,` +
      '"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"metadata":{},"parallel_tool_calls":true,' +
      '"reasoning":{"effort":null,"summary":null},"temperature":null,"text":{"format":{"type":"text"}},' +
      `"tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":null,"truncation":"disabled","usage":${tokens}}`;
    const item = (status: string, content: string): string =>
      `{"id":"msg_a_0","type":"message","status":"${status}","role":"assistant","content":[${content}]}`;
    const part = (said: string): string => `{"type":"output_text","text":"${said}","annotations":[],"logprobs":[]}`;
    const place = '"item_id":"msg_a_0","output_index":0,"content_index":0';
    const tokens =
      '{"input_tokens":3,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":2,' +
      '"output_tokens_details":{"reasoning_tokens":0},"total_tokens":5}';
    const done = item('completed', part('Hello'));
    const expected: readonly (readonly [string, string])[] = [
      ['created', `"response":${response('in_progress', '[]', 'null')}`],
      ['in_progress', `"response":${response('in_progress', '[]', 'null')}`],
      ['output_item.added', `"output_index":0,"item":${item('in_progress', '')}`],
      ['content_part.added', `${place},"part":${part('')}`],
      ['output_text.delta', `${place},"delta":"Hel","logprobs":[]`],
      ['output_text.delta', `${place},"delta":"lo","logprobs":[]`],
      ['output_text.done', `${place},"text":"Hello","logprobs":[]`],
      ['content_part.done', `${place},"part":${part('Hello')}`],
      ['output_item.done', `"output_index":0,"item":${done}`],
      ['completed', `"response":${response('completed', `[${done}]`, tokens)}`],
    ];
    expect(bytes).toBe(
      expected
        .map(([name, members], number) => {
          const type = `response.${name}`;
          return `event: ${type}\ndata: {"type":"${type}","sequence_number":${number},${members}}\n\n`;
        })
        .join(''),
    );
  });

  test.each(cases)(
    '[138] [139] of %s numbers everything, begins what it ends, and ends with the whole',
    (_, content) => {
      fc.assert(
        fc.property(fc.array(fc.nat()), fc.boolean(), (cuts, interleaved) => {
          const events = eventsOf(toParts(answer(content, { usage }), cuts, interleaved));
          expect(events.map((event) => event.sequence_number)).toEqual(events.map((_event, index) => index));
          expect(events[0]).toMatchObject({
            type: 'response.created',
            response: { output: [], status: 'in_progress' },
          });
          expect(events[1]?.type).toBe('response.in_progress');
          const last = events.at(-1)!;
          expect(last.type).toBe('response.completed');
          const added = events.filter(({ type }) => type === 'response.output_item.added');
          expect(added.map((event) => event.output_index)).toEqual(added.map((_event, index) => index));
          for (const event of events) {
            if (event.item_id !== undefined) expect(event.item_id).toBe(added[event.output_index!]?.item?.id);
          }
          const done = events.filter(({ type }) => type === 'response.output_item.done');
          expect(done.toSorted((a, b) => a.output_index! - b.output_index!).map(({ item }) => item)).toEqual(
            last.response?.output,
          );
          const whole = openaiResponsesClientCodec.encodeResponse(answer(content, { usage }), context);
          expect(last.response).toEqual(JSON.parse(whole.toString()));
        }),
        { numRuns: 30 },
      );
    },
  );

  test.each(versions.flatMap((version) => cases.map(([name, content]) => ({ version, name, content }))))(
    '[137] of $name is accepted by $version',
    async ({ version, content }) => {
      const body = encode(toParts(answer(content, { usage }), [1, 4], true));
      const { client } = clientOf(version, { body, chunkBytes: 50 });
      const stream = client.responses.stream(ask);
      const deltas: string[] = [];
      stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta));
      const final = await stream.finalResponse();
      const said = content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('');
      expect(final.output_text).toBe(said);
      expect(deltas.join('')).toBe(said);
      expect(final.usage?.total_tokens).toBe(5);
      expect(
        final.output.flatMap((item) => (item.type === 'function_call' ? [[item.call_id, item.arguments]] : [])),
      ).toEqual(content.flatMap((block) => (block.type === 'tool-call' ? [[block.id, block.input]] : [])));
      const iterated = await clientOf(version, { body, chunkBytes: 7 }).client.responses.create({
        ...ask,
        stream: true,
      });
      let count = 0;
      for await (const event of iterated) expect(event.sequence_number).toBe(count++);
    },
  );

  test.each(versions)('[137] of any answer is accepted by %s', async (version) => {
    const arbitrary = fc.tuple(response, fc.array(fc.nat(), { maxLength: 4 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(arbitrary, async ([made, cuts, interleaved]) => {
        const { client } = clientOf(version, { body: encode(toParts(made, cuts, interleaved)), chunkBytes: 64 });
        const final = await client.responses.stream(ask).finalResponse();
        const whole = openaiResponsesClientCodec.encodeResponse(made, context);
        const { output, status, usage: tokens } = JSON.parse(whole.toString()) as Record<string, unknown>;
        expect(
          JSON.parse(JSON.stringify({ output: final.output, status: final.status, usage: final.usage })),
        ).toMatchObject({
          output,
          status,
          usage: tokens,
        });
      }),
      { numRuns: 40 },
    );
  });

  test('is judged by the tap of the pass-through lane as it was meant', () => {
    const bytes = encode(toParts(answer([thinking, text, call], { usage }), [2], false));
    const tap = protocols['openai-responses'].passThrough.tap({ hideUsage: false });
    const verdicts = framesOf(bytes).map((frame) => tap.frame(frame));
    expect(verdicts).not.toContain('malformed');
    expect(tap).toMatchObject({ finished: true, empty: false, error: undefined, usage: { inputTokens: 3 } });
  });

  test.each([
    ['length', 'incomplete', 'max_output_tokens'],
    ['content-filter', 'incomplete', 'content_filter'],
  ] as const)('[140] that ended with %s is %s, and its last item with it', (finish, status, reason) => {
    const cut = { ...call, input: '{"a' };
    const events = eventsOf(toParts(answer([text, cut], { finish }), [], false));
    expect(events.at(-1)).toMatchObject({
      type: `response.${status}`,
      response: {
        status,
        incomplete_details: { reason },
        output: [{ status: 'completed' }, { status, arguments: '{"a' }],
      },
    });
  });

  test('writes calls side by side into items of their own', () => {
    const events = eventsOf(toParts(answer([call, other]), [1], true));
    expect(events.map(({ type, output_index: index }) => [type, index]).slice(2, -1)).toEqual([
      ['response.output_item.added', 0],
      ['response.output_item.added', 1],
      ['response.function_call_arguments.delta', 0],
      ['response.function_call_arguments.delta', 1],
      ['response.function_call_arguments.delta', 0],
      ['response.function_call_arguments.delta', 1],
      ['response.function_call_arguments.done', 0],
      ['response.output_item.done', 0],
      ['response.function_call_arguments.done', 1],
      ['response.output_item.done', 1],
    ]);
  });

  test('says nothing of blocks without words, and carries what is signed or hidden', () => {
    const parts: readonly StreamPart[] = [
      { type: 'start', id: 'a', model: 'm' },
      { type: 'block-start', index: 0, block: { type: 'text' } },
      { type: 'block-end', index: 0 },
      { type: 'block-start', index: 1, block: { type: 'thinking' } },
      { type: 'block-end', index: 1 },
      { type: 'block-start', index: 2, block: { type: 'thinking' } },
      { type: 'block-end', index: 2, signature: 's' },
      { type: 'block-start', index: 3, block: { type: 'redacted-thinking', data: 'd' } },
      { type: 'block-end', index: 3 },
      { type: 'block-start', index: 4, block: { type: 'text' } },
      { type: 'delta', index: 4, text: 'a' },
      { type: 'block-end', index: 4 },
      { type: 'block-start', index: 5, block: { type: 'text' } },
      { type: 'delta', index: 5, text: 'b' },
      { type: 'block-end', index: 5 },
      { type: 'block-start', index: 6, block: { type: 'tool-call', id: 'call_1', tool: 'f' } },
      { type: 'block-end', index: 6 },
      { type: 'block-start', index: 7, block: { type: 'text' } },
      { type: 'delta', index: 7, text: 'c' },
      { type: 'finish', reason: 'stop' },
    ];
    const output = eventsOf(parts).at(-1)?.response?.output;
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [] },
      { type: 'reasoning', summary: [] },
      { type: 'message', content: [{ text: 'a' }, { text: 'b' }] },
      { type: 'function_call', arguments: '{}' },
      { type: 'message', content: [{ text: 'c' }] },
    ]);
    const again = openaiResponsesClientCodec.decodeRequest(Buffer.from(JSON.stringify({ model: 'm', input: output })));
    expect(again.messages[0]?.content.slice(0, 2)).toEqual([
      { type: 'thinking', text: '', signature: 's' },
      { type: 'redacted-thinking', data: 'd' },
    ]);
  });

  test.each(versions)('[140] that fails goes on in its own numbers, and makes %s throw', async (version) => {
    const { client: face } = protocols['openai-responses'];
    const encoder = openaiResponsesClientCodec.streamEncoder(context);
    const begun = toParts(answer([text]), [], false)
      .slice(0, -2)
      .map((part) => encoder.encode(part));
    const { ClientError } = await import('../../../../proxy/canonical/client-error.ts');
    const error = face.encodeInBandError(new ClientError('stream_truncated'), 'r', encoder.nextSequence)!;
    expect(error.toString()).toContain('"sequence_number":5,');
    const { client } = clientOf(version, { body: Buffer.concat([...begun, error]) });
    await expect(client.responses.stream(ask).finalResponse()).rejects.toThrow();
  });
});
