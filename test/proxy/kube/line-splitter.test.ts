import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineSplitter, LineTooLong } from '../../../proxy/kube/line-splitter.ts';

/** Lines that come of bytes which arrive in pieces of these sizes, over and over. */
function split(bytes: Buffer, sizes: readonly number[], lineBytesMax = 1_000_000): string[] {
  const splitter = new LineSplitter(lineBytesMax);
  const lines: string[] = [];
  for (let from = 0, turn = 0; from < bytes.length; turn += 1) {
    const to = from + sizes[turn % sizes.length]!;
    lines.push(...splitter.push(bytes.subarray(from, to)));
    from = to;
  }
  return lines;
}

it('lines are the same however their bytes are cut, inside a character too', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }) }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
      (events, sizes) => {
        const lines = events.map((event) => JSON.stringify(event));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        expect(split(bytes, sizes)).toEqual(lines);
        expect(split(bytes, [bytes.length + 1])).toEqual(lines);
      },
    ),
  );
});

it('empty lines and an end that is missing are no lines', () => {
  expect(split(Buffer.from('\n\r\na\n\n\nb\nrest'), [3])).toEqual(['a', 'b']);
});

it('a line may have as many bytes as there is room for, and not one more', () => {
  expect(split(Buffer.from(`${'x'.repeat(10)}\n${'y'.repeat(10)}\n`), [4], 10)).toEqual([
    'x'.repeat(10),
    'y'.repeat(10),
  ]);
  expect(() => split(Buffer.from(`${'x'.repeat(11)}\n`), [4], 10)).toThrow(LineTooLong);
  // Also before its end has come: what never ends must not be held.
  expect(() => split(Buffer.from('x'.repeat(11)), [1], 10)).toThrow(LineTooLong);
});
