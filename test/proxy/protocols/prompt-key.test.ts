import { describe, expect, it } from 'vitest';
import { readMembers } from '../../../proxy/protocols/json-members.ts';
import { outputTokensMax, promptKey, type PromptScope } from '../../../proxy/protocols/prompt-key.ts';
import type { Peek } from '../../../proxy/protocols/protocol.ts';

function peeked(json: object | string): { body: Buffer; peek: Peek } {
  const body = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const { members } = readMembers(body);
  return { body, peek: { model: undefined, stream: false, wantsUsage: false, usageEdit: undefined, members } };
}

function keyOf(json: object | string, scope: PromptScope = 'Conversation'): number | undefined {
  const { body, peek } = peeked(json);
  return promptKey(body, peek, scope);
}

const system = { role: 'system', content: 'You are a librarian.' };
const hello = { role: 'user', content: 'Which book has the most pages?' };
const reply = { role: 'assistant', content: 'That depends.' };
const more = { role: 'user', content: 'On what?' };

describe('the key of a conversation', () => {
  it('stays the same from turn to turn, and is another for another beginning', () => {
    const first = keyOf({ messages: [system, hello] });
    expect(first).toBeTypeOf('number');
    expect(keyOf({ temperature: 1, messages: [system, hello, reply, more] })).toBe(first);
    expect(keyOf({ messages: [system, more] })).not.toBe(first);
    expect(keyOf({ messages: [{ ...system, content: 'You are a cook.' }, hello] })).not.toBe(first);
  });

  it('does not mind how a client writes the same text, nor where it asks for caching', () => {
    const block = { type: 'text', text: hello.content };
    const marked = { role: 'user', content: [{ ...block, cache_control: { type: 'ephemeral' } }] };
    const first = keyOf({ system: system.content, messages: [marked] });
    expect(keyOf({ system: system.content, messages: [{ role: 'user', content: [block] }, reply, more] })).toBe(first);
    expect(keyOf({ system: [{ type: 'text', text: system.content }], messages: [hello, reply] })).toBe(first);
    expect(
      keyOf(
        `{ "messages" : [ ${JSON.stringify(hello)} , {"role":"assistant","content":"x"} ],\n"system":"${system.content}"}`,
      ),
    ).toBe(first);
  });

  it('tells conversations apart that begin with a picture', () => {
    const picture = (data: string) => ({
      messages: [{ role: 'user', content: [{ type: 'image', source: { data } }] }],
    });
    expect(keyOf(picture('AAAA'))).not.toBe(keyOf(picture('BBBB')));
    const large = 'x'.repeat(200_000);
    expect(keyOf(picture(`${large}1`))).not.toBe(keyOf(picture(`${large}2`)));
    expect(keyOf(picture(large))).toBe(keyOf(picture(large)));
  });

  it('is what the client calls it, where the client does', () => {
    const named = keyOf({ prompt_cache_key: 'session-1', messages: [system, hello] });
    expect(keyOf({ prompt_cache_key: 'session-1', messages: [more] })).toBe(named);
    expect(keyOf({ prompt_cache_key: 'session-2', messages: [system, hello] })).not.toBe(named);
    const responses = { conversation: { id: 'conv_1' }, input: 'Hello' };
    expect(keyOf({ ...responses, input: 'And then?' })).toBe(keyOf(responses));
  });

  it('is not called anything by what says nothing', () => {
    const conversation = { messages: [system, hello] };
    for (const name of ['prompt_cache_key', 'conversation', 'conversation_id', 'session_id']) {
      for (const nothing of [null, '']) expect(keyOf({ [name]: nothing, ...conversation })).toBe(keyOf(conversation));
    }
    const named = { session_id: 's', ...conversation };
    expect(keyOf({ prompt_cache_key: null, ...named })).toBe(keyOf(named));
  });

  it('is found in every protocol of clients, and nowhere else', () => {
    expect(keyOf({ instructions: 'Be brief.', input: [hello, reply] })).toBe(
      keyOf({ instructions: 'Be brief.', input: [hello] }),
    );
    expect(keyOf({ input: 'Hello' })).toBeTypeOf('number');
    expect(keyOf({ prompt: 'Once upon a time' })).toBeTypeOf('number');
    expect(keyOf({ system: 'Be brief.', prompt: 'Once' })).not.toBe(keyOf({ system: 'Be brief.', prompt: 'Twice' }));
    expect(keyOf({ model: 'x' })).toBeUndefined();
    expect(keyOf({ messages: [] })).toBeUndefined();
    expect(keyOf({ messages: [null, 1, 'text'] })).toBeTypeOf('number');
  });
});

describe('the key of a prefix', () => {
  const long = { role: 'system', content: 'You are a librarian. '.repeat(100) };

  it('is that of the first 1,024 characters: what follows does not count', () => {
    const key = keyOf({ messages: [long, hello] }, 'Prefix');
    expect(keyOf({ messages: [long, more] }, 'Prefix')).toBe(key);
    expect(keyOf({ system: long.content, messages: [more] }, 'Prefix')).toBe(key);
    expect(keyOf({ messages: [{ ...long, content: `Not ${long.content}` }, hello] }, 'Prefix')).not.toBe(key);
  });

  it('goes on with the messages where the instructions are short', () => {
    expect(keyOf({ messages: [system, hello] }, 'Prefix')).not.toBe(keyOf({ messages: [system, more] }, 'Prefix'));
  });
});

describe('the longest answer that a client asks for', () => {
  it.each([
    [{ max_tokens: 100 }, 100],
    [{ max_completion_tokens: 200, stream: true }, 200],
    [{ max_output_tokens: 300 }, 300],
    [{ options: { num_predict: 400 } }, 400],
    [{ options: { num_predict: -1 } }, undefined],
    [{ max_tokens: null }, undefined],
    [{ max_tokens: null, max_completion_tokens: 50 }, 50],
    [{ options: { num_predict: -1 }, max_tokens: 50 }, 50],
    [{ options: null, max_tokens: 50 }, 50],
    [{ max_tokens: 'many' }, undefined],
    [{}, undefined],
  ])('of %j is %s', (json, tokens) => {
    const { body, peek } = peeked(json);
    expect(outputTokensMax(body, peek)).toBe(tokens);
  });
});
