import { describe, expect, test } from 'vitest';
import type { Source } from '../../../../proxy/canonical/block.ts';
import { withSources } from '../../../../proxy/protocols/anthropic-messages/with-sources.ts';
import { withoutThinking } from '../../../../proxy/protocols/anthropic-messages/without-thinking.ts';
import { readMembers, rewriteMembers } from '../../../../proxy/protocols/json-members.ts';

const sources = new Map<string, Source>([
  ['https://a.test/1', { type: 'base64', mediaType: 'image/png', data: 'AAAA' }],
  ['https://a.test/2', { type: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' }],
  ['https://a.test/3', { type: 'base64', mediaType: 'text/csv', data: Buffer.from('ä;1').toString('base64') }],
]);

function rewritten(text: string, forget = false): string {
  const body = Buffer.from(text);
  const { members } = readMembers(body);
  const none = { set: new Map(), remove: new Set<string>() };
  const edits = forget ? withoutThinking({ body, members, edits: none }) : none;
  return rewriteMembers(body, members, withSources({ body, members, edits }, sources)).toString();
}

const url = (number: number): string => `{"type":"url","url":"https://a.test/${number}"}`;

describe('a body for a host that loads nothing', () => {
  test('has bytes where it had addresses, in results too, and nothing else changes by a byte', () => {
    const before = `{"x": 1.0,"messages":[{"role":"user", "content":[{"type":"text","text":"\\u00e9"},{"type":"image","source":${url(1)},"cache_control":{"type":"ephemeral"}},{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":${url(1)}}]}]}]}`;
    const png = '{"type":"base64","media_type":"image/png","data":"AAAA"}';
    expect(rewritten(before)).toBe(before.replaceAll(url(1), png));
  });

  test('has documents as what they are', () => {
    const of = (source: string, type = 'document'): string =>
      `{"messages":[{"role":"user","content":[{"type":"${type}","source":${source}}]}]}`;
    expect(rewritten(of(url(2)))).toBe(of('{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}'));
    expect(rewritten(of(url(3)))).toBe(of('{"type":"text","media_type":"text/plain","data":"ä;1"}'));
    expect(rewritten(of(url(1)))).toBe(of('{"type":"base64","media_type":"image/png","data":"AAAA"}', 'image'));
  });

  test('loses its thinking at the same time', () => {
    const thought = '{"type":"thinking","thinking":"a","signature":"b"}';
    const said = (blocks: string): string =>
      `{"messages":[{"role":"assistant","content":[${blocks}{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"image","source":`;
    expect(rewritten(`${said(`${thought},`)}${url(1)}}]}]}`, true)).toBe(
      `${said('')}{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}`,
    );
  });

  test.each([
    '{"messages":"none"}',
    '{"messages":[{"role":"user","content":"text"}]}',
    `{"messages":[{"role":"user","content":[{"type":"image","source":${url(9)}}]}]}`,
    '{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}]}',
  ])('is what it was without any: %s', (body) => {
    expect(rewritten(body)).toBe(body);
  });
});
