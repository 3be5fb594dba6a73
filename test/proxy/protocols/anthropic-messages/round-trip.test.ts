import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Block, Message } from '../../../../proxy/canonical/block.ts';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { anthropicMessagesOwnCodec } from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { anthropicDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import { encodeRequest } from '../../../../proxy/protocols/anthropic-messages/encode-request.ts';

/** Takes whatever it is given. */
const model = 'claude-opus-4-8';
const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((value) => value.trim())
  .filter((value) => value !== '');
const own = fc.constantFrom({}, { cache_control: { type: 'ephemeral' } }, { x_new: { deep: [1, true] } });
const object = fc
  .dictionary(word, fc.jsonValue(), { maxKeys: 2 })
  .map((value) => JSON.parse(JSON.stringify(value)) as object);

/** A block of text that would not be written as a string if it stood alone. */
const marked = word.map((text) => ({ type: 'text', text, cache_control: { type: 'ephemeral' } }));
const image = fc.constantFrom(
  { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
  { type: 'image', source: { type: 'url', url: 'https://i/1.png' }, transformations: { a: 1 } },
  { type: 'image', source: { type: 'file', file_id: 'file_1', x_new: 1 } },
);
const document = fc.constantFrom(
  { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }, title: 't' },
  { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'plain' }, citations: { enabled: true } },
  { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'a' }] }, context: 'c' },
  { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'a' }] },
);
const said = fc.oneof(marked, image, document);
const thought = fc.oneof(
  word.map((thinking) => ({ type: 'thinking', thinking, signature: 'c2ln' })),
  fc.constant({ type: 'thinking', thinking: '', signature: 'c2ln' }),
  fc.constant({ type: 'redacted_thinking', data: 'x' }),
);
const served = fc.constantFrom(
  { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } },
  { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
  { type: 'mcp_tool_use', id: 'm', name: 'n', server_name: 'x', input: {} },
);
const called = fc.tuple(object, own).map(([input, rest]) => ({ type: 'tool_use', name: 'f', input, ...rest }));
const result = fc.oneof(
  fc.constant({}),
  word.map((content) => ({ content })),
  fc.tuple(said, said).map((content) => ({ content, is_error: true })),
  fc.constant({ content: [{ type: 'tool_reference', tool_name: 'f' }], is_error: false }),
);

/** What the user says, what the model answers, and the results of its calls. */
const round = fc
  .record({
    user: fc.oneof(word, fc.array(said, { minLength: 1, maxLength: 3 })),
    system: fc.option(word),
    thoughts: fc.array(thought, { maxLength: 2 }),
    answer: fc.array(fc.oneof(marked, served), { minLength: 1, maxLength: 3 }),
    calls: fc.array(fc.tuple(called, result), { maxLength: 3 }),
    after: fc.array(said, { minLength: 1, maxLength: 2 }),
  })
  .map(({ user, system, thoughts, answer, calls, after }) => {
    const uses = calls.map(([call], index) => ({ ...call, id: `toolu_${index}` }));
    const results = calls.map(([, value], index) => ({ type: 'tool_result', tool_use_id: `toolu_${index}`, ...value }));
    return [
      { role: 'user', content: user },
      ...(system === null ? [] : [{ role: 'system', content: system }]),
      { role: 'assistant', content: [...thoughts, ...answer, ...uses] },
      ...(results.length > 0
        ? [
            { role: 'user', content: [...results, ...after] },
            { role: 'assistant', content: 'Done.' },
          ]
        : []),
    ];
  });

const tool = fc.oneof(
  fc.tuple(word, object, own).map(([name, schema, rest]) => {
    return { name, description: 'd', input_schema: { type: 'object', ...schema }, strict: true, ...rest };
  }),
  fc.constant({ type: 'bash_20250124', name: 'bash', cache_control: { type: 'ephemeral' } }),
  fc.constant({ type: 'web_search_20260318', name: 'web_search', max_uses: 5 }),
);

const body = fc
  .record(
    {
      max_tokens: fc.nat(128_000),
      rounds: fc.array(round, { minLength: 1, maxLength: 3 }),
      system: fc.oneof(word, fc.array(marked, { minLength: 1, maxLength: 2 })),
      tools: fc.array(tool, { minLength: 1, maxLength: 3 }),
      tool_choice: fc.constantFrom(
        { type: 'auto', disable_parallel_tool_use: true },
        { type: 'any' },
        { type: 'tool', name: 'f', disable_parallel_tool_use: false },
        { type: 'none' },
      ),
      stop_sequences: fc.array(word, { minLength: 1, maxLength: 5 }),
      thinking: fc.constantFrom<object>(
        { type: 'enabled', budget_tokens: 2000, display: 'omitted' },
        { type: 'adaptive', display: 'summarized' },
        { type: 'adaptive' },
        { type: 'disabled' },
        { type: 'between_tools' },
      ),
      output_config: fc.constantFrom<object>(
        { effort: 'low' },
        { effort: 'brand-new', format: { type: 'json_schema', schema: { type: 'object', minProperties: 1 } } },
        { task_budget: { total: 5 } },
      ),
      metadata: fc.constantFrom<object>({ user_id: 'u' }, { user_id: 'u', x_new: 1 }),
      stream: fc.constant(true),
      service_tier: fc.constant('auto'),
      container: fc.constant('c'),
      mcp_servers: fc.constant([{ type: 'url', url: 'https://m' }]),
      cache_control: fc.constant({ type: 'ephemeral' }),
      x_new: object,
    },
    { requiredKeys: ['max_tokens', 'rounds'] },
  )
  .map(({ rounds, tools, tool_choice: choice, ...rest }) => ({
    model,
    ...rest,
    messages: rounds.flat(),
    // Without tools there is nothing to choose.
    ...(tools !== undefined && { tools, ...(choice !== undefined && { tool_choice: choice }) }),
  }));

function again(wire: object): unknown {
  const decoded = anthropicMessagesOwnCodec.decodeRequest(Buffer.from(JSON.stringify(wire)));
  return JSON.parse(encodeRequest(decoded, anthropicDialect).body.toString());
}

describe('a request of this protocol', () => {
  test('comes out as it went in', () => {
    fc.assert(
      fc.property(body, (wire) => {
        expect(again(wire)).toEqual(JSON.parse(JSON.stringify(wire)));
      }),
      { numRuns: 500 },
    );
  });

  test('keeps the tools that run at Anthropic between the others', () => {
    const tools = [
      { name: 'a', input_schema: { type: 'object' } },
      { type: 'web_search_20250305', name: 'web_search' },
      { type: 'bash_20250124', name: 'bash' },
      { type: 'code_execution_20250825', name: 'code_execution' },
      { name: 'b', input_schema: { type: 'object' } },
    ];
    expect(again({ model, max_tokens: 5, messages: [{ role: 'user', content: 'hi' }], tools })).toMatchObject({
      tools,
    });
  });
});

describe('a canonical conversation', () => {
  const text = word.map((value): Block => ({ type: 'text', text: value }));
  const picture = fc.constantFrom<Block>(
    { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AA==' } },
    { type: 'image', source: { type: 'url', url: 'https://i/1.png' } },
    { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: 'JVBE' }, title: 't' },
  );
  const spoken = fc.array(fc.oneof(text, picture), { minLength: 1, maxLength: 3 });
  const inputs = fc.array(object, { maxLength: 3 });
  const turns = fc
    .record({ user: spoken, signed: fc.boolean(), answer: text, inputs, results: fc.array(spoken, { minLength: 3 }) })
    .map(({ user, signed, answer, inputs: given, results }): Message[] => {
      const calls = given.map((input, index): Block => {
        return { type: 'tool-call', id: `call_${index}`, tool: 'f', input: JSON.stringify(input) };
      });
      const answers = calls.map((_, index): Block => {
        return { type: 'tool-result', callId: `call_${index}`, content: results[index]!, isError: index === 1 };
      });
      const thinking: Block[] = signed ? [{ type: 'thinking', text: 'hm', signature: 's' }] : [];
      const round: Message[] = [
        { role: 'user', content: user },
        { role: 'assistant', content: [...thinking, answer, ...calls] },
      ];
      if (calls.length === 0) return round;
      return [...round, { role: 'user', content: answers }, { role: 'assistant', content: [answer] }];
    });
  const request = fc
    .record(
      {
        system: text,
        rounds: fc.array(turns, { minLength: 1, maxLength: 3 }),
        maxOutputTokens: fc.nat(128_000),
        temperature: fc.constantFrom(0, 0.5, 1),
        topK: fc.nat(100),
        stop: fc.array(word, { maxLength: 3 }),
        tools: fc.uniqueArray(word, { maxLength: 3 }),
        parallelToolCalls: fc.boolean(),
        userId: word,
        stream: fc.boolean(),
      },
      { requiredKeys: ['rounds', 'maxOutputTokens', 'stop', 'tools', 'stream'] },
    )
    .map(({ system, rounds, tools, parallelToolCalls, ...rest }): CanonicalRequest => ({
      ...rest,
      // One that takes everything that is said here.
      model: 'MiniMax-M2',
      messages: [...(system === undefined ? [] : [{ role: 'system' as const, content: [system] }]), ...rounds.flat()],
      tools: tools.map((name) => ({ name, description: 'd', parameters: { type: 'object', properties: {} } })),
      ...(tools.length > 0 && {
        toolChoice: { type: 'auto' },
        ...(parallelToolCalls !== undefined && { parallelToolCalls }),
      }),
      metadata: { 'anthropic-messages': {} },
    }));

  test('comes back from the wire as it was', () => {
    fc.assert(
      fc.property(request, (conversation) => {
        const { body: bytes, dropped } = encodeRequest(conversation, anthropicDialect);
        expect(dropped).toEqual([]);
        expect(anthropicMessagesOwnCodec.decodeRequest(bytes)).toEqual(conversation);
      }),
      { numRuns: 300 },
    );
  });
});
