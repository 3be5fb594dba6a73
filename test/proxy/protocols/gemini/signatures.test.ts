import { describe, expect, test } from 'vitest';

import type { Block, Message } from '../../../../proxy/canonical/block.ts';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import type { CanonicalResponse } from '../../../../proxy/canonical/response.ts';
import { anthropicMessagesClientCodec } from '../../../../proxy/protocols/anthropic-messages/codec.ts';
import { createGeminiUpstreams } from '../../../../proxy/protocols/gemini/codec.ts';
import { createSignatureMemory } from '../../../../proxy/protocols/gemini/signature-memory.ts';
import { anySignature, isGoogleSignature } from '../../../../proxy/protocols/gemini/signature.ts';
import { openaiChatClientCodec } from '../../../../proxy/protocols/openai-chat/codec.ts';
import type { UpstreamCodec } from '../../../../proxy/protocols/protocol.ts';
import { collect } from '../anthropic-messages/answer.ts';
import { context } from '../openai-chat/answer.ts';
import { bytesOf, decode } from './fixture.ts';
import { checkRequest } from './strict-server.ts';

const signature = 'CsYBAePx/+8=';
const upstreams = createGeminiUpstreams();

/** What an answer of the fixture `tools.json` becomes for a client. */
function answer(codec: UpstreamCodec): CanonicalResponse {
  const decoded = codec.decodeResponse(bytesOf('tools.json'), 'f');
  if (decoded.type === 'invalid') throw new Error('invalid');
  return decoded.response;
}

/** The signatures in the next request, call by call, after these messages. */
function signaturesIn(
  codec: UpstreamCodec,
  messages: readonly Message[],
  model = 'gemini-3-pro-preview',
  differs: Partial<CanonicalRequest> = {},
): unknown[] {
  const asked = { model, messages, tools: [], stop: [], stream: false, metadata: {}, ...differs };
  const wire = JSON.parse(codec.encodeRequest(asked).body.toString()) as Record<string, unknown>;
  checkRequest(wire, model.includes('-3-') ? '3' : '2.5', JSON.stringify(wire).includes('"id"') ? 'gemini' : 'vertex');
  const contents = wire['contents'] as { parts: { functionCall?: unknown; thoughtSignature?: string }[] }[];
  return contents.flatMap(({ parts }) =>
    parts.filter((part) => part.functionCall).map((part) => part.thoughtSignature),
  );
}

/** The second turn of a client of OpenAI's that gives back what it got. */
function chatTurn(response: CanonicalResponse, forget = false): readonly Message[] {
  const wire = JSON.parse(openaiChatClientCodec.encodeResponse(response, context).toString()) as {
    choices: { message: { tool_calls: { id: string; extra_content?: unknown }[] } }[];
  };
  const [message] = wire.choices.map((choice) => choice.message);
  const calls = message!.tool_calls.map(({ extra_content: extra, ...call }) =>
    forget ? call : { ...call, extra_content: extra },
  );
  const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'ok' }));
  const messages = [{ role: 'user', content: 'hi' }, { ...message, tool_calls: calls }, ...results];
  return openaiChatClientCodec.decodeRequest(Buffer.from(JSON.stringify({ model: 'm', messages }))).messages;
}

/** The same of a client of Anthropic's. */
function messagesTurn(response: CanonicalResponse): readonly Message[] {
  const wire = JSON.parse(anthropicMessagesClientCodec.encodeResponse(response, context).toString()) as {
    content: { type: string; id?: string }[];
  };
  const results = wire.content
    .filter(({ type }) => type === 'tool_use')
    .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' }));
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: wire.content },
    { role: 'user', content: results },
  ];
  const body = Buffer.from(JSON.stringify({ model: 'm', max_tokens: 9, messages }));
  return anthropicMessagesClientCodec.decodeRequest(body).messages;
}

describe('the signature of a call', () => {
  test('[98] comes back from a client of OpenAI on the call that it is of', () => {
    const codec = upstreams('gemini');
    expect(signaturesIn(codec, chatTurn(answer(codec)))).toEqual([signature, undefined]);
  });

  test('[181] comes back from a client of Anthropic with the thinking before the call', () => {
    const codec = upstreams('gemini');
    expect(signaturesIn(codec, messagesTurn(answer(codec)))).toEqual([signature, undefined]);
  });

  test('[98] is remembered for clients that lose it', () => {
    const codec = createGeminiUpstreams(createSignatureMemory())('gemini');
    expect(signaturesIn(codec, chatTurn(answer(codec), true))).toEqual([signature, undefined]);
    const stream = createGeminiUpstreams(createSignatureMemory())('gemini');
    const { content, finish } = collect(decode(stream, bytesOf('tools-then-stop.sse')));
    const bare = content.filter(({ type }) => type === 'tool-call');
    const response = { id: 'x', model: 'm', content: bare, finish, metadata: {} };
    expect(signaturesIn(stream, chatTurn(response, true))).toEqual([signature, undefined]);
  });

  test('is the dummy too where the service has refused those that are remembered', () => {
    const codec = createGeminiUpstreams(createSignatureMemory())('gemini');
    const turn = chatTurn(answer(codec), true);
    expect(signaturesIn(codec, turn, undefined, { unsigned: true })).toEqual([anySignature, undefined]);
    expect(signaturesIn(codec, turn)).toEqual([signature, undefined]);
  });

  test('[98] that nobody has is the dummy, for models that insist on one', () => {
    const codec = upstreams('gemini');
    const turn = chatTurn(answer(codec), true);
    expect(signaturesIn(codec, turn)).toEqual([anySignature, undefined]);
    expect(signaturesIn(codec, turn, 'gemini-2.5-pro')).toEqual([undefined, undefined]);
  });

  test.each(['gemini', 'vertex'])('is not given to the other service than %s, whoever carries it', (service) => {
    const memory = createSignatureMemory();
    const both = createGeminiUpstreams(memory);
    const other = service === 'gemini' ? 'vertex' : 'gemini';
    for (const turn of [chatTurn(answer(both(service))), messagesTurn(answer(both(service)))]) {
      expect(signaturesIn(both(other), turn)).toEqual([anySignature, undefined]);
      expect(signaturesIn(both(service), turn)).toEqual([signature, undefined]);
    }
  });

  test('of another vendor, or without a service, is taken for what it is', () => {
    const codec = upstreams('gemini');
    const call: Block = { type: 'tool-call', id: 'toolu_1', tool: 'f', input: '{}' };
    const result: Block = { type: 'tool-result', callId: 'toolu_1', content: [] };
    const turn = (...content: readonly Block[]): readonly Message[] => [
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      { role: 'assistant', content },
      { role: 'user', content: [result] },
    ];
    const claude: Block = { type: 'thinking', text: 'Hm', signature: 'EqQBCgIYAhIM' };
    expect(signaturesIn(codec, turn(claude, call))).toEqual([anySignature]);
    const google = { 'openai-chat': { extra_content: { google: { thought_signature: 'c2ln' } } } };
    expect(signaturesIn(codec, turn({ ...call, metadata: google }))).toEqual(['c2ln']);
    const odd = { 'openai-chat': { extra_content: { google: 'c2ln' } } };
    expect(signaturesIn(codec, turn({ ...call, metadata: odd }))).toEqual([anySignature]);
  });

  test('is told apart from those of others', () => {
    expect(isGoogleSignature('google-gemini:a')).toBe(true);
    expect(isGoogleSignature('google-vertex:a')).toBe(true);
    expect(isGoogleSignature('EqQBCgIYAhIM')).toBe(false);
  });
});

describe('the memory of signatures', () => {
  const of = (value: string) => ({ service: 'gemini', value }) as const;

  test('forgets what was not used for the longest time', () => {
    const memory = createSignatureMemory({ calls: 2 });
    memory.remember('a', of('1'));
    memory.remember('b', of('2'));
    expect(memory.recall('a')).toEqual(of('1'));
    memory.remember('c', of('3'));
    expect(memory.recall('b')).toBeUndefined();
    expect(memory.recall('a')).toEqual(of('1'));
    memory.remember('a', of('4'));
    expect(memory.recall('a')).toEqual(of('4'));
    expect(memory.recall('c')).toEqual(of('3'));
  });

  test('holds no more than so many characters', () => {
    const memory = createSignatureMemory({ chars: 10 });
    memory.remember('a', of('12345'));
    memory.remember('b', of('67890'));
    memory.remember('c', of('x'));
    expect(memory.recall('a')).toBeUndefined();
    expect(memory.recall('b')).toEqual(of('67890'));
    memory.remember('d', of('12345678901'));
    expect(memory.recall('d')).toBeUndefined();
    expect(memory.recall('b')).toEqual(of('67890'));
    memory.remember('b', of('1'));
    memory.remember('e', of('12345678'));
    expect(memory.recall('c')).toEqual(of('x'));
  });
});

test('a service that nobody knows is a mistake of the configuration', () => {
  expect(() => upstreams('palm')).toThrow('no dialect palm');
});
