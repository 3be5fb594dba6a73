import { describe, expect, it } from 'vitest';
import type { StreamPart } from '../../../proxy/canonical/response.ts';
import { Transcript } from '../../../proxy/protocols/transcript.ts';

const start: StreamPart = { type: 'start', id: 'x', model: 'm' };
const open = (index: number, type: 'text' | 'thinking' | 'refusal' = 'text'): StreamPart => {
  return { type: 'block-start', index, block: { type } };
};
const delta = (index: number, text: string): StreamPart => ({ type: 'delta', index, text });
const end = (index: number, signature?: string): StreamPart => {
  return { type: 'block-end', index, ...(signature !== undefined && { signature }) };
};

function noted(...parts: readonly StreamPart[]): Transcript {
  const transcript = new Transcript();
  for (const part of parts) transcript.note(part);
  return transcript;
}

describe('a transcript', () => {
  it('has the text without the thinking, and pieces of one text as one', () => {
    const parts = [
      start,
      open(0, 'thinking'),
      delta(0, 'h'),
      delta(0, 'm'),
      end(0),
      open(1),
      delta(1, 'a'),
      delta(1, 'b'),
    ];
    const transcript = noted(...parts);
    expect(transcript).toMatchObject({ text: 'ab', resumable: true, openText: 1, nextBlock: 2, finished: false });
    expect(transcript.parts).toEqual([start, open(0, 'thinking'), delta(0, 'hm'), end(0), open(1), delta(1, 'ab')]);
  });

  it('knows when a text has ended, and when the answer has', () => {
    const transcript = noted(start, open(0), delta(0, 'a'), end(0), { type: 'finish', reason: 'stop' });
    expect(transcript).toMatchObject({ openText: undefined, nextBlock: 1, finished: true });
  });

  it.each<[string, readonly StreamPart[]]>([
    ['a refusal', [open(0, 'refusal')]],
    ['a call of a tool', [{ type: 'block-start', index: 0, block: { type: 'tool-call', id: 'c', tool: 't' } }]],
    ['encrypted thinking', [{ type: 'block-start', index: 0, block: { type: 'redacted-thinking', data: '' } }]],
    ['what a vendor does by itself', [{ type: 'block-start', index: 0, block: { type: 'carried' } }]],
    ['signed thinking', [open(0, 'thinking'), end(0, 's')]],
    ['what stands beside a text', [open(0), { type: 'delta', index: 0, text: 'a', metadata: { p: { logprobs: [] } } }]],
    ['more than 256 KiB', [open(0), delta(0, 'ä'.repeat(128 * 1024)), delta(0, 'x')]],
  ])('ends with %s, and remembers nothing any more', (_name, parts) => {
    const transcript = noted(start, ...parts, delta(0, 'more'));
    expect(transcript).toMatchObject({ resumable: false, text: '', parts: [] });
    expect(transcript.fork().resumable).toBe(false);
  });

  it('ends with too many blocks, also of those that say nothing', () => {
    const blocks = Array.from({ length: 512 }, (_, index) => [open(index), end(index)]).flat();
    expect(noted(...blocks)).toMatchObject({ resumable: true, nextBlock: 512 });
    expect(noted(...blocks, open(512))).toMatchObject({ resumable: false, parts: [] });
  });

  it('of exactly 256 KiB is one', () => {
    expect(noted(open(0), delta(0, 'ä'.repeat(128 * 1024))).resumable).toBe(true);
  });

  it('can be copied, and the copies know nothing of each other', () => {
    const first = noted(start, open(0), delta(0, 'a'));
    const [one, other] = [first.fork(), first.fork()];
    one.note(delta(0, 'b'));
    other.note(delta(0, 'c'));
    expect([first.text, one.text, other.text]).toEqual(['a', 'ab', 'ac']);
    expect(first.parts.at(-1)).toEqual(delta(0, 'a'));
  });
});
