import { expect, it } from 'vitest';
import { BlockSequence } from '../../../proxy/protocols/block-sequence.ts';

it('keeps one text open as long as its type goes on', () => {
  const blocks = new BlockSequence();
  expect([...blocks.text('thinking', 'a'), ...blocks.text('thinking', 'b'), ...blocks.text('text', 'c')]).toEqual([
    { type: 'block-start', index: 0, block: { type: 'thinking' } },
    { type: 'delta', index: 0, text: 'a' },
    { type: 'delta', index: 0, text: 'b' },
    { type: 'block-end', index: 0 },
    { type: 'block-start', index: 1, block: { type: 'text' } },
    { type: 'delta', index: 1, text: 'c' },
  ]);
  expect(blocks.close({ signature: 's' })).toEqual([{ type: 'block-end', index: 1, signature: 's' }]);
  expect(blocks.close()).toEqual([]);
});

it('numbers calls among the texts and ends the open one before a whole call', () => {
  const blocks = new BlockSequence();
  expect(blocks.next()).toBe(0);
  blocks.open('text');
  expect(blocks.open('text')).toEqual([]);
  expect(blocks.call({ id: 'c1', tool: 'clock', input: '{}' })).toEqual([
    { type: 'block-end', index: 1 },
    { type: 'block-start', index: 2, block: { type: 'tool-call', id: 'c1', tool: 'clock' } },
    { type: 'delta', index: 2, text: '{}' },
    { type: 'block-end', index: 2 },
  ]);
  expect(blocks.text('text', 'after')[0]).toEqual({ type: 'block-start', index: 3, block: { type: 'text' } });
});
