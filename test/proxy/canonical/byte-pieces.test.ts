import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BytePieces } from '../../../proxy/canonical/byte-pieces.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const piece = fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes));

test('whatever the pieces, what is taken is what was given, in order', () => {
  const runs = fc.array(fc.array(piece, { maxLength: 400 }), { maxLength: 4 });
  fc.assert(
    fc.property(runs, (takes) => {
      const pieces = new BytePieces();
      for (const given of takes) {
        for (const one of given) pieces.push(one);
        const wanted = Buffer.concat(given);
        expect(pieces.bytes).toBe(wanted.length);
        expect(pieces.whole().equals(wanted)).toBe(true);
        expect(pieces.take().equals(wanted)).toBe(true);
        expect(pieces.bytes).toBe(0);
      }
    }),
  );
});

test('large pieces are kept as they are, and one alone is not copied', () => {
  const pieces = new BytePieces();
  const large = Buffer.alloc(1024 * 1024, 'x');
  pieces.push(large);
  expect(pieces.take()).toBe(large);
});

test('small pieces are held in little more memory than they have bytes', () => {
  const pieces = new BytePieces();
  const count = 300_000;
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < count; n += 1) pieces.push(Buffer.of(n));
  collectGarbage();
  // Without joining, each of them would be an object of some hundred bytes.
  const grown = process.memoryUsage().heapUsed - before;
  expect(pieces.take().length).toBe(count);
  expect(grown).toBeLessThan(10 * count);
});

test('what is joined and waits has memory of its own, and keeps no slab of a pool', () => {
  const pieces = new BytePieces();
  for (let count = 0; count < 128; count++) pieces.push(Buffer.alloc(16));
  // A whole row is one piece.
  const taken = pieces.take();
  expect([taken.length, taken.buffer.byteLength]).toEqual([2048, 2048]);
});
