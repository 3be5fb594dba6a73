import { describe, expect, it } from 'vitest';
import { anthropicMessagesPassThrough } from '../../../proxy/protocols/anthropic-messages/pass-through.ts';
import { readMembers, rewriteMembers } from '../../../proxy/protocols/json-members.ts';
import { openaiResponsesPassThrough } from '../../../proxy/protocols/openai-responses/pass-through.ts';
import type { PassThroughProtocol } from '../../../proxy/protocols/protocol.ts';

function rewritten(protocol: PassThroughProtocol, text: string): string | undefined {
  const body = Buffer.from(text);
  const { members } = readMembers(body);
  const none = { set: new Map(), remove: new Set<string>() };
  const edits = protocol.withoutThinking?.({ body, members, edits: none });
  return edits === undefined || edits === none ? undefined : rewriteMembers(body, members, edits).toString();
}

const messages = (text: string): string | undefined => rewritten(anthropicMessagesPassThrough, text);
const responses = (text: string): string | undefined => rewritten(openaiResponsesPassThrough, text);

describe('a body of Anthropic’s', () => {
  it('loses the thinking of its history, and nothing else changes by a byte', () => {
    const before = `{ "model": "m",  "messages": [ {"role":"user","content":"hi"}, {"role":"assistant", "content": [
      {"type":"thinking","thinking":"é ]}","signature":"a"} , {"type":"redacted_thinking","data":"x"},
      {"type":"text","text":"\\u00e9 [{" },{"type":"tool_use","id":"t","name":"f","input":{"n":12345678901234567890,"2":1,"1":2}} ]} ], "x": 1.0 }`;
    expect(messages(before)).toBe(
      `{ "model": "m",  "messages": [{"role":"user","content":"hi"},{"role":"assistant", "content": [{"type":"text","text":"\\u00e9 [{" },{"type":"tool_use","id":"t","name":"f","input":{"n":12345678901234567890,"2":1,"1":2}}]}], "x": 1.0 }`,
    );
  });

  it('loses a turn that was nothing but thinking', () => {
    const thought = '{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":""}]}';
    expect(messages(`{"messages":[{"role":"user","content":"a"},${thought},{"role":"user","content":"b"}]}`)).toBe(
      '{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}',
    );
  });

  it('stops thinking by a budget inside a row of calls, which would have to begin with thinking', () => {
    const call = '{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]}';
    const result = '{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}';
    const budget = '{"type":"enabled","budget_tokens":2048}';
    const cleared = '"context_management":{"edits":[]},';
    expect(messages(`{"thinking":${budget},${cleared}"max_tokens":9,"messages":[${call},${result}]}`)).toBe(
      `{"max_tokens":9,"messages":[${call},${result}]}`,
    );
    expect(messages(`{"thinking":{"type":"adaptive"},"messages":[${call},${result}]}`)).toBeUndefined();
    expect(messages(`{"thinking":${budget},"messages":[{"role":"user","content":"a"}]}`)).toBeUndefined();
  });

  it.each([
    '{}',
    '{"messages":"none"}',
    '{"messages":["a",1]}',
    '{"messages":[{"role":"assistant","content":"text"}]}',
    '{"messages":[{"role":"assistant","content":[{"type":"text","text":"a"}]}]}',
    '{"messages":[{"role":"user","content":[{"type":"thinking"}]}]}',
    '{"messages":[]}',
  ])('has nothing to lose: %s', (body) => {
    expect(messages(body)).toBeUndefined();
  });
});

describe('a body of Responses', () => {
  it('loses the reasoning of its history', () => {
    expect(
      responses(
        '{"input":[{"role":"user","content":"a"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"x"}, {"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}',
      ),
    ).toBe(
      '{"input":[{"role":"user","content":"a"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}',
    );
    expect(responses('{"input":"text"}')).toBeUndefined();
    expect(responses('{"input":[{"role":"user","content":"a"}]}')).toBeUndefined();
  });
});
