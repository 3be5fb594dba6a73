// What each kind of server is told, of requests of clients of any protocol.

import { describe, expect, test } from 'vitest';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { chatDialects } from '../../../../proxy/protocols/openai-chat/dialect.ts';
import { openaiChatUpstream } from '../../../../proxy/protocols/openai-chat/upstream.ts';
import type { DroppedParameter, UpstreamModel } from '../../../../proxy/protocols/protocol.ts';

const plain: CanonicalRequest = { model: 'm', messages: [], tools: [], stop: [], stream: false, metadata: {} };

function encode(
  differs: Partial<CanonicalRequest>,
  dialect?: string,
  model?: UpstreamModel,
): { readonly wire: Record<string, unknown>; readonly dropped: readonly DroppedParameter[] } {
  const { body, dropped } = openaiChatUpstream(dialect).encodeRequest({ ...plain, ...differs }, model);
  return { wire: JSON.parse(body.toString()) as Record<string, unknown>, dropped };
}

describe('every dialect', () => {
  test.each(Object.keys(chatDialects))('is known by its name: %s', (name) => {
    expect(encode({}, name).wire).toMatchObject({ model: 'm', messages: [] });
  });

  test('is known, or the configuration is wrong', () => {
    expect(() => openaiChatUpstream('klingon')).toThrow('no dialect klingon');
  });
});

describe('OpenAI', () => {
  test('[169] is not told to stop at more than four sequences', () => {
    const stop = ['a', 'b', 'c', 'd'];
    expect(encode({ stop }).wire).toMatchObject({ stop });
    expect(() => encode({ stop: [...stop, 'e'] })).toThrow(expect.objectContaining({ parameter: 'stop' }));
    expect(encode({ stop: [...stop, 'e'] }, 'compatible').wire).toMatchObject({ stop: [...stop, 'e'] });
  });

  test('[170] is told of the most tokens by their new name, and others by the old one', () => {
    expect(encode({ maxOutputTokens: 9 }).wire).toMatchObject({ max_completion_tokens: 9 });
    expect(encode({ maxOutputTokens: 9 }, 'compatible').wire).toMatchObject({ max_tokens: 9 });
  });

  test('is not told what it does not know, which is reported', () => {
    const { wire, dropped } = encode({ topK: 3, metadata: { 'anthropic-messages': { container: 'c', thinking: {} } } });
    expect(wire).toEqual({ model: 'm', messages: [] });
    expect(dropped).toEqual([{ name: 'topK' }, { name: 'container' }]);
    expect(encode({ topK: 3 }, 'compatible').wire).toMatchObject({ top_k: 3 });
    expect(encode({ metadata: { ollama: { options: { num_ctx: 1 } } } }).dropped).toEqual([]);
  });

  test('is told who asks, in as many characters as it takes', () => {
    expect(encode({ userId: 'me' }).wire).toMatchObject({ safety_identifier: 'me' });
    expect(encode({ userId: 'me' }, 'compatible').wire).toMatchObject({ user: 'me' });
    const { wire } = encode({ userId: 'x'.repeat(65) });
    expect(wire['safety_identifier']).toMatch(/^[\w-]{43}$/);
    expect(encode({ userId: 'x'.repeat(65) }).wire).toEqual(wire);
  });
});

describe('how much to think', () => {
  test.each<[CanonicalRequest['thinking'], string, UpstreamModel, string | undefined]>([
    [{ type: 'off' }, 'gpt-5-mini', {}, 'none'],
    [{ type: 'adaptive' }, 'gpt-5-mini', {}, undefined],
    [{ type: 'budget', tokens: 1024 }, 'o3', {}, 'minimal'],
    [{ type: 'budget', tokens: 4000 }, 'o3', {}, 'low'],
    [{ type: 'budget', tokens: 16_000 }, 'openai/gpt-oss-120b', {}, 'medium'],
    [{ type: 'budget', tokens: 32_000 }, 'm', { capabilities: ['Reasoning'] }, 'high'],
    [{ type: 'budget', tokens: 64_000 }, 'm', { capabilities: ['Reasoning'] }, 'xhigh'],
    // Such models would refuse the request.
    [{ type: 'budget', tokens: 4000 }, 'gpt-4o', {}, undefined],
    [{ type: 'budget', tokens: 4000 }, 'o3', { capabilities: ['Tools'] }, undefined],
    [{ type: 'off' }, 'gpt-4o', {}, undefined],
  ])('is %j to %s of %j: %s', (thinking, model, config, effort) => {
    const { wire, dropped } = encode({ thinking: thinking!, model }, undefined, config);
    expect(wire['reasoning_effort']).toBe(effort);
    expect(dropped).toEqual(thinking?.type === 'budget' && effort === undefined ? [{ name: 'thinking' }] : []);
  });

  test('is what the client says in words', () => {
    const { wire } = encode({ reasoningEffort: 'low', thinking: { type: 'budget', tokens: 64_000 } });
    expect(wire).toMatchObject({ reasoning_effort: 'low' });
  });
});

describe('the model’s own thinking', () => {
  const messages = [
    { role: 'assistant', content: [{ type: 'thinking', text: 'hm' } as const, { type: 'text', text: 'a' } as const] },
  ] as const;

  test.each([
    ['openai', undefined],
    ['deepseek', 'reasoning_content'],
    ['compatible', 'reasoning'],
    ['mistral', undefined],
  ])('[51] [167] is given back to %s as %s', (dialect, member) => {
    const [message] = encode({ messages }, dialect).wire['messages'] as Record<string, unknown>[];
    expect(message).toEqual({ role: 'assistant', content: 'a', ...(member && { [member]: 'hm' }) });
  });
});

describe('Mistral', () => {
  test('gets the same nine letters for an id each time, and its own ids as they are', () => {
    const call = (id: string) => ({ type: 'tool-call', id, tool: 'f', input: '{}' }) as const;
    const idsOf = (...ids: readonly string[]): string[] => {
      const content = ids.map(call);
      const [message] = encode({ messages: [{ role: 'assistant', content }] }, 'mistral').wire['messages'] as {
        tool_calls: { id: string }[];
      }[];
      return message!.tool_calls.map(({ id }) => id);
    };
    const [own, first, second] = idsOf('abcDEF123', 'toolu_01', 'toolu_02');
    expect(own).toBe('abcDEF123');
    expect(first).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(second).not.toBe(first);
    expect(idsOf('toolu_01')).toEqual([first]);
  });

  test('is refused what would be another answer', () => {
    expect(() => encode({ topLogprobs: 0 }, 'mistral')).toThrow(expect.objectContaining({ parameter: 'topLogprobs' }));
  });
});
