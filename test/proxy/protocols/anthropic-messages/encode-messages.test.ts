import { describe, expect, test } from 'vitest';

import type { Message } from '../../../../proxy/canonical/block.ts';
import { anthropicDialect, vertexDialect } from '../../../../proxy/protocols/anthropic-messages/dialect.ts';
import { encodeRequest } from '../../../../proxy/protocols/anthropic-messages/encode-request.ts';
import { RefusedParameter } from '../../../../proxy/protocols/refused-parameter.ts';
import { encode, hi, opus48, request, sonnet45 } from './encoded.ts';

function messagesOf(...messages: readonly object[]): unknown {
  return encode({ messages })['messages'];
}

/** Messages that only other protocols than chat completions can say. */
function encodeMessages(messages: readonly Message[], model = sonnet45): Record<string, unknown> {
  const { body } = encodeRequest({ ...request({ model }), messages }, anthropicDialect);
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

function call(id: string, input = '{}'): object {
  return { id, type: 'function', function: { name: 'weather', arguments: input } };
}

describe('messages', () => {
  test('[69] what the system and the developer say first is system', () => {
    const encoded = encode({
      messages: [{ role: 'system', content: 'One.' }, { role: 'developer', content: 'Two.' }, hi],
    });
    expect(encoded['system']).toEqual([
      { type: 'text', text: 'One.' },
      { type: 'text', text: 'Two.' },
    ]);
    expect(encoded['messages']).toEqual([hi]);
    expect(encode({ messages: [{ role: 'system', content: 'One.' }, hi] })['system']).toBe('One.');
  });

  test('[69] a system message behind the user is one for models that know such, else words of the user', () => {
    const messages = [hi, { role: 'system', content: 'In French.' }];
    expect(encode({ model: opus48, messages })['messages']).toEqual(messages);
    expect(encode({ model: sonnet45, messages })['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hi' },
          { type: 'text', text: '<system>\nIn French.\n</system>' },
        ],
      },
    ]);
    const between = encode({ model: opus48, messages: [...messages, hi] })['messages'];
    expect(between).toMatchObject([{ role: 'user', content: [{}, { text: '<system>\nIn French.\n</system>' }, {}] }]);
    const { body } = encodeRequest(request({ model: opus48, messages }), vertexDialect);
    expect(body.toString()).toContain('<system>');
  });

  test('instructions alone are what the model is asked', () => {
    const encoded = encode({ messages: [{ role: 'system', content: 'Say hi.' }] });
    expect(encoded).not.toHaveProperty('system');
    expect(encoded['messages']).toEqual([{ role: 'user', content: 'Say hi.' }]);
  });

  test('[70] results are one turn, in the order of the calls and before text', () => {
    expect(
      messagesOf(
        hi,
        { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] },
        { role: 'tool', tool_call_id: 'b', content: 'two' },
        { role: 'user', content: 'By the way' },
        { role: 'tool', tool_call_id: 'a', content: 'one' },
      ),
    ).toEqual([
      hi,
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'weather', input: {} },
          { type: 'tool_use', id: 'b', name: 'weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'one' },
          { type: 'tool_result', tool_use_id: 'b', content: 'two' },
          { type: 'text', text: 'By the way' },
        ],
      },
    ]);
  });

  test('[71] what the user says behind a result joins it', () => {
    expect(
      messagesOf(
        hi,
        { role: 'assistant', content: 'Wait.', tool_calls: [call('a')] },
        { role: 'tool', tool_call_id: 'a', content: '' },
        { role: 'user', content: 'So?' },
      ),
    ).toMatchObject([
      hi,
      { role: 'assistant', content: [{ type: 'text' }, { type: 'tool_use' }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a' },
          { type: 'text', text: 'So?' },
        ],
      },
    ]);
  });

  test.each([
    ['', {}],
    [' ', {}],
    ['{"a":[1]}', { a: [1] }],
  ])('[72] the arguments %j are %j', (input, expected) => {
    const messages = messagesOf(
      hi,
      { role: 'assistant', tool_calls: [call('a', input)] },
      { role: 'tool', tool_call_id: 'a', content: '' },
    );
    expect(messages).toMatchObject([{}, { content: [{ input: expected }] }, {}]);
  });

  test.each(['{"a":', 'none', '[1]', '7', 'null'])('[72] the arguments %s are refused', (input) => {
    expect(() => messagesOf(hi, { role: 'assistant', tool_calls: [call('a', input)] })).toThrow(
      new RefusedParameter('messages', 'must not hold arguments that are no JSON object, as those of tool call a.'),
    );
  });

  test('[73] ids are legal, the same in call and result, and different where they were', () => {
    const ids = ['call:1/a', 'call:1.a', 'call_1_a', 'x'.repeat(70), ''];
    const [, assistant, user] = messagesOf(
      hi,
      { role: 'assistant', tool_calls: ids.map((id) => call(id)) },
      ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: '' })),
    ) as [unknown, { content: { id: string }[] }, { content: { tool_use_id: string }[] }];
    const called = assistant.content.map(({ id }) => id);
    expect(new Set(called).size).toBe(ids.length);
    for (const id of called) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(user.content.map((result) => result.tool_use_id)).toEqual(called);
    expect(called[2]).toBe('call_1_a');
  });

  test.each([
    [[hi, { role: 'assistant', tool_calls: [call('a')] }, hi], '"a"'],
    [[hi, { role: 'assistant', tool_calls: [call('a')] }], '"a"'],
    [[{ role: 'tool', tool_call_id: 'b', content: '' }], '"b"'],
    [
      [
        hi,
        { role: 'assistant', tool_calls: [call('a')] },
        { role: 'tool', tool_call_id: 'a', content: '' },
        { role: 'tool', tool_call_id: 'b', content: '' },
      ],
      '"b"',
    ],
  ])('calls without results and results without calls are refused', (messages, id) => {
    const why = `must hold the result of each tool call right behind it, and no other: see ${id}.`;
    expect(() => messagesOf(...messages)).toThrow(new RefusedParameter('messages', why));
  });

  test('[74] empty text beside calls is no block, and empty messages are none', () => {
    const result = { role: 'tool', tool_call_id: 'a', content: 'x' };
    expect(messagesOf(hi, { role: 'assistant', content: '', tool_calls: [call('a')] }, result)).toMatchObject([
      {},
      { content: [{ type: 'tool_use' }] },
      {},
    ]);
    expect(messagesOf(hi, { role: 'assistant', content: ' \n' }, { role: 'user', content: 'again' })).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hi' },
          { type: 'text', text: 'again' },
        ],
      },
    ]);
  });

  test('what the model is to go on with does not end in white space', () => {
    expect(messagesOf(hi, { role: 'assistant', content: 'Sure: \n' })).toEqual([
      hi,
      { role: 'assistant', content: 'Sure:' },
    ]);
  });

  test('[75] images are addresses or bytes, without their detail', () => {
    const part = (url: string): object => ({ type: 'image_url', image_url: { url, detail: 'high' } });
    expect(
      messagesOf({ role: 'user', content: [part('https://i/1.png'), part('data:image/jpg;base64,AA==')] }),
    ).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: 'https://i/1.png' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'AA==' } },
        ],
      },
    ]);
  });

  test('documents are read where they are PDF or text', () => {
    const file = (type: string, data: string): object => ({
      type: 'file',
      file: { file_data: `data:${type};base64,${data}`, filename: 'f' },
    });
    const content = [file('application/pdf', 'JVBE'), file('text/markdown', 'w7w='), file('image/png', 'AA==')];
    expect(messagesOf({ role: 'user', content })).toEqual([
      {
        role: 'user',
        content: [
          { type: 'document', title: 'f', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' } },
          { type: 'document', title: 'f', source: { type: 'text', media_type: 'text/plain', data: 'ü' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
        ],
      },
    ]);
    expect(() => messagesOf({ role: 'user', content: [file('application/zip', 'AA==')] })).toThrow(
      'messages must not hold documents of the type application/zip',
    );
    expect(() => messagesOf({ role: 'user', content: [{ type: 'file', file: { file_id: 'file-abc' } }] })).toThrow(
      'messages must not hold the file file-abc',
    );
  });

  test('audio is refused', () => {
    const content = [{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }];
    expect(() => messagesOf({ role: 'user', content })).toThrow('messages must not hold audio');
  });

  test('addresses are refused where nothing is loaded', () => {
    const content = [{ type: 'image_url', image_url: { url: 'https://i/1.png' } }];
    const asked = request({ messages: [{ role: 'user', content }] });
    expect(() => encodeRequest(asked, vertexDialect)).toThrow(RefusedParameter);
  });

  test('thinking is given back where it is signed', () => {
    const encoded = encodeMessages([
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', text: 'foreign' },
          { type: 'thinking', text: 'own', signature: 's' },
          { type: 'redacted-thinking', data: 'd' },
          { type: 'refusal', text: 'No.' },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: 'why' }] },
    ]);
    expect(encoded['messages']).toMatchObject([
      {},
      {
        content: [
          { type: 'thinking', thinking: 'own', signature: 's' },
          { type: 'redacted_thinking', data: 'd' },
          { type: 'text', text: 'No.' },
        ],
      },
      {},
    ]);
  });

  test('many of them take no longer than they have to', () => {
    const count = 20_000;
    const calls = Array.from({ length: count }, (_, index) => call(`c${index}`));
    const results = calls.map((_, index) => ({ role: 'tool', tool_call_id: `c${count - 1 - index}`, content: 'x' }));
    const started = performance.now();
    messagesOf(...Array.from({ length: count }, () => hi), { role: 'assistant', tool_calls: calls }, ...results);
    expect(performance.now() - started).toBeLessThan(4000);
  });
});
