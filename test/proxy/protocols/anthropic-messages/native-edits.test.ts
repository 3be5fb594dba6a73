import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { countTokensEdit, messagesEdit } from '../../../../proxy/protocols/anthropic-messages/native-edits.ts';
import { protocols } from '../../../../proxy/protocols/registry.ts';
import type { BodyEdit } from '../../../../proxy/protocols/protocol.ts';

const { client, passThrough } = protocols['anthropic-messages'];
const none = { set: new Map<string, string>(), remove: new Set<string>() };

/** A body as it goes out; the very same text if nothing is changed. */
function edited(edit: BodyEdit, text: string, own = none): string {
  const body = Buffer.from(text);
  const peek = client.peek(body);
  return passThrough.rewrite(body, peek, edit({ body, members: peek.members, edits: own })).toString();
}

function thought(signature: unknown): object {
  return { type: 'thinking', thinking: 'hm', signature };
}

const call = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { signature: '' } };

describe('a request for a message', () => {
  test('keeps its bytes where all thinking is Claude’s', () => {
    for (const content of ['one', [thought('EqQB+/='), call], [{ type: 'text', text: '"signature":""' }]]) {
      const text = JSON.stringify({ model: 'm', messages: [{ role: 'assistant', content }] }, undefined, 1);
      expect(edited(messagesEdit(), text)).toBe(text);
    }
  });

  test.each(['', 'google-gemini:CsYB', 'google-vertex:CsYB'])('has no thinking that is signed %j', (signature) => {
    const before = { role: 'user', content: 'one' };
    const assistant = (content: readonly object[]): object => ({ role: 'assistant', content });
    for (const indent of [undefined, 2]) {
      const request = {
        model: 'm',
        messages: [before, assistant([thought(signature), thought('EqQB'), call])],
        stream: true,
      };
      expect(JSON.parse(edited(messagesEdit(), JSON.stringify(request, undefined, indent)))).toEqual({
        ...request,
        messages: [before, assistant([thought('EqQB'), call])],
      });
    }
  });

  test('keeps the bytes of everything else', () => {
    const turn = '{"role":"user","content":[{"type":"text","text":"\\u00e9","n":1.0,"big":12345678901234567890}]}';
    const text = `{"messages":[${turn},{"role":"assistant","content":[{"type":"thinking","signature":""},${turn}]}]}`;
    expect(edited(messagesEdit(), text)).toBe(`{"messages":[${turn},{"role":"assistant","content":[${turn}]}]}`);
  });

  test('has no turn of nothing', () => {
    const messages = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: [thought('')] },
      { role: 'user', content: 'two' },
    ];
    expect(JSON.parse(edited(messagesEdit(), JSON.stringify({ messages })))).toEqual({
      messages: [messages[0], messages[2]],
    });
  });

  test('[152] says to Vertex in the body which version it is, and in the path which model', () => {
    const own = {
      set: new Map([
        ['model', '"claude-x"'],
        ['top_k', '5'],
      ]),
      remove: new Set<string>(),
    };
    const text = '{"model":"m","max_tokens":5,"messages":[],"stream":true}';
    expect(JSON.parse(edited(messagesEdit('vertex'), text, own))).toEqual({
      anthropic_version: 'vertex-2023-10-16',
      max_tokens: 5,
      messages: [],
      stream: true,
      top_k: 5,
    });
    expect(JSON.parse(edited(countTokensEdit('vertex'), text, own))).toMatchObject({
      anthropic_version: 'vertex-2023-10-16',
      model: 'claude-x',
    });
  });

  test('to count tokens is Anthropic’s as it is', () => {
    const text = '{"model": "m", "messages": []}';
    expect(edited(countTokensEdit(), text)).toBe(text);
  });

  test('of a host that nobody knows is a mistake of ours', () => {
    expect(() => messagesEdit('x')).toThrow('no dialect x');
    expect(() => countTokensEdit('toString')).toThrow('no dialect toString');
  });

  test('has no foreign thinking left, and everything else, whatever it is', () => {
    const block = fc.oneof(
      fc.constantFrom('', 'google-gemini:x', 'EqQB', 'a+/=').map(thought),
      fc.record({ type: fc.constant('text'), text: fc.string() }),
      fc.constant(call),
    );
    const message = fc.record({
      role: fc.constantFrom('user', 'assistant'),
      content: fc.array(block, { minLength: 1 }),
    });
    fc.assert(
      fc.property(fc.array(message), fc.constantFrom(undefined, 1), (messages, indent) => {
        const got = JSON.parse(edited(messagesEdit(), JSON.stringify({ messages }, undefined, indent))) as {
          messages: unknown;
        };
        const isForeign = (one: object): boolean => 'signature' in one && /^$|:/.test(String(one.signature));
        const wanted = messages
          .map(({ role, content }) => {
            return { role, content: role === 'user' ? content : content.filter((one) => !isForeign(one)) };
          })
          .filter(({ content }) => content.length > 0);
        expect(got.messages).toEqual(wanted);
      }),
    );
  });
});
