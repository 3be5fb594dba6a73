import { describe, expect, test } from 'vitest';
import { rewriteMembers } from '../../../../proxy/protocols/json-members.ts';
import { openaiChatEdit } from '../../../../proxy/protocols/openai-chat/upstream.ts';
import { protocols } from '../../../../proxy/protocols/registry.ts';

/** A body as a kind of server gets it. */
function pass(text: string, dialect: string, set: Readonly<Record<string, string>> = {}): string {
  const body = Buffer.from(text);
  const { members } = protocols['openai-chat'].client.peek(body);
  const own = { set: new Map(Object.entries(set)), remove: new Set<string>() };
  return rewriteMembers(body, members, openaiChatEdit(dialect)?.({ body, members, edits: own }) ?? own).toString();
}

const odd = '{ "messages" : [{"role":"user","content":"\\u00e9 developer"}], "seed":12345678901234567890, "top_k":1.0}';

describe('a body that is passed through', () => {
  test.each(['openai', 'compatible', 'deepseek'])('[49] keeps its bytes where %s needs nothing changed', (dialect) => {
    expect(pass(odd, dialect)).toBe(odd);
  });

  test.each([
    ['compatible', '{"model":"m","max_tokens":5}'],
    ['openai', '{"model":"m","max_completion_tokens":5}'],
  ])('[48] names the most tokens as %s does', (dialect, wanted) => {
    expect(JSON.parse(pass('{"model":"m","max_completion_tokens":5}', dialect))).toEqual(JSON.parse(wanted));
    const both = pass('{"model":"m","max_tokens":7,"max_completion_tokens":5}', dialect);
    expect(JSON.parse(both)).toEqual(JSON.parse(wanted));
    expect(pass('{"model":"m","max_tokens":7}', dialect)).toBe('{"model":"m","max_tokens":7}');
  });

  test('[48] has the most tokens that the backend says, whatever they are called', () => {
    const set = { max_tokens: '9' };
    expect(pass('{"max_completion_tokens":5}', 'compatible', set)).toBe('{"max_tokens":9}');
  });

  test('[47] has developers where they are known, and the system elsewhere', () => {
    const messages = '[{"role":"developer","content":"a"},{"role":"user","content":"\\"developer\\""}]';
    const body = `{"x":1.0,"messages":${messages}}`;
    expect(pass(body, 'openai')).toBe(body);
    expect(pass(body, 'compatible')).toBe(
      '{"x":1.0,"messages":[{"role":"system","content":"a"},{"role":"user","content":"\\"developer\\""}]}',
    );
  });

  test('[51] gives thinking back to those who want it back', () => {
    const thought = { role: 'assistant', content: 'a', reasoning_content: 'hm', reasoning: 'hm' };
    const body = JSON.stringify({ messages: [{ role: 'user', content: '"reasoning' }, thought] });
    expect(pass(body, 'deepseek')).toBe(body);
    expect(JSON.parse(pass(body, 'openai'))).toEqual({
      messages: [
        { role: 'user', content: '"reasoning' },
        { role: 'assistant', content: 'a' },
      ],
    });
    const effort = '{"reasoning_effort":"low","messages":[{"role":"user","content":"x"}]}';
    expect(pass(effort, 'openai')).toBe(effort);
  });

  test.each([
    [['max_completion_tokens'], '{"reasoning_effort":"low","messages":[{"role":"user","content":"x"}]}'],
    [['max_completion_tokens', 'messages'], '{"messages":[{"role":"assistant","reasoning":"hm"}]}'],
  ])('has only %j looked at: %s', (wanted, text) => {
    const looked: string[] = [];
    const set = new (class extends Map<string, string> {
      override get(name: string): string | undefined {
        looked.push(name);
        return super.get(name);
      }
    })();
    const body = Buffer.from(text);
    const { members } = protocols['openai-chat'].client.peek(body);
    openaiChatEdit('openai')?.({ body, members, edits: { set, remove: new Set() } });
    expect(looked).toEqual(wanted);
  });

  test('has the signatures of Google’s models where they may be wanted, and ours nowhere', () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };
    const google = { ...call, extra_content: { google: { thought_signature: 'CsYB' } } };
    const ours = { ...call, extra_content: { google: { thought_signature: 'CsYB', service: 'gemini' } } };
    const body = (one: object): string =>
      JSON.stringify({ messages: [{ role: 'assistant', tool_calls: [one, call] }] });
    expect(pass(body(google), 'compatible')).toBe(body(google));
    for (const dialect of ['openai', 'deepseek', 'mistral']) expect(pass(body(google), dialect)).toBe(body(call));
    for (const dialect of ['openai', 'compatible']) expect(pass(body(ours), dialect)).toBe(body(call));
    const quoted = '{"messages":[{"role":"user","content":"\\"extra_content\\""}]}';
    expect(pass(quoted, 'openai')).toBe(quoted);
  });

  test('is left to the upstream where its messages are none', () => {
    expect(pass('{"messages":"\\"developer\\"","x":"developer"}', 'compatible')).toContain('"x":"developer"');
  });
});
