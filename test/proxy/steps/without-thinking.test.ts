import { describe, expect, it } from 'vitest';
import type { Block, Message } from '../../../proxy/canonical/block.ts';
import type { CanonicalRequest } from '../../../proxy/canonical/request.ts';
import { withoutThinking } from '../../../proxy/steps/without-thinking.ts';

const bare = { model: 'm', tools: [], stop: [], stream: false, metadata: {} } as const;
const thinking: Block = { type: 'thinking', text: 'hm', signature: 'theirs' };
const redacted: Block = { type: 'redacted-thinking', data: 'x' };
const text: Block = { type: 'text', text: 'a' };
const call: Block = { type: 'tool-call', id: 'c', tool: 'f', input: '{}' };
const signedCall: Block = { ...call, metadata: { 'openai-chat': { extra_content: { google: {} } } } };
const result: Block = { type: 'tool-result', callId: 'c', content: [text] };

function said(role: Message['role'], ...content: readonly Block[]): Message {
  return { role, content };
}

function strip(messages: readonly Message[], differs: Partial<CanonicalRequest> = {}) {
  return withoutThinking({ ...bare, messages, ...differs });
}

describe('a conversation', () => {
  it('goes on without thinking and signatures', () => {
    const messages = [said('user', text), said('assistant', thinking, redacted, text, signedCall), said('user', text)];
    expect(strip(messages)).toEqual({
      request: {
        ...bare,
        messages: [said('user', text), said('assistant', text, call), said('user', text)],
        unsigned: true,
      },
      lost: [],
    });
    expect(strip([said('user', text), said('assistant', thinking)])?.request.messages).toEqual([said('user', text)]);
  });

  it('has nothing to leave out without thinking or calls', () => {
    expect(strip([said('user', text), said('assistant', text), said('user')])).toBeUndefined();
  });

  it('does not think on inside a row of calls, and says so', () => {
    const row = [said('assistant', thinking, call), said('tool', result)];
    expect(strip(row, { thinking: { type: 'budget', tokens: 2048 } })).toMatchObject({
      request: { thinking: { type: 'off' } },
      lost: ['thinking'],
    });
    const worded = strip(row, { reasoningEffort: 'high' });
    expect(worded).toMatchObject({ request: { thinking: { type: 'off' } }, lost: ['reasoningEffort'] });
    expect(worded?.request.reasoningEffort).toBeUndefined();
    for (const calm of [{}, { thinking: { type: 'adaptive' } as const }, { reasoningEffort: 'none' }]) {
      expect(strip(row, calm)).toMatchObject({ request: calm, lost: [] });
    }
    expect(strip([...row, said('user', text)], { reasoningEffort: 'high' })).toMatchObject({
      request: { reasoningEffort: 'high' },
      lost: [],
    });
  });
});
