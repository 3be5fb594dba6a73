import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Difference, Overlap } from '../../../proxy/protocols/overlap.ts';

/** What is new of a text that comes in pieces; undefined: it differs. */
function newOf(expected: string, difference: Difference, pieces: readonly string[]): string | undefined {
  const overlap = new Overlap(expected, difference);
  let fresh = '';
  for (const piece of pieces) {
    const taken = overlap.take(piece);
    if (taken === undefined) return undefined;
    fresh += taken;
  }
  const held = overlap.end();
  return held === undefined ? undefined : fresh + held;
}

const texts = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', ' ') });
const cuts = fc.array(fc.nat(12), { maxLength: 4 });

function cut(text: string, places: readonly number[]): string[] {
  const sorted = [0, ...places.filter((place) => place < text.length).toSorted((a, b) => a - b), text.length];
  return sorted.slice(1).map((end, index) => text.slice(sorted[index], end));
}

describe('what the client does not have yet of a text', () => {
  it('is the rest of it, however it comes, if it begins with what the client has', () => {
    fc.assert(
      fc.property(texts, texts, cuts, (has, rest, places) => {
        for (const difference of ['ends', 'is-new', 'goes-on'] as const) {
          expect(newOf(has, difference, cut(has + rest, places))).toBe(rest);
        }
      }),
    );
  });

  it('cannot be told from a text that differs, or is shorter', () => {
    fc.assert(
      fc.property(texts, texts, cuts, (has, said, places) => {
        fc.pre(!said.startsWith(has));
        expect(newOf(has, 'ends', cut(said, places))).toBeUndefined();
      }),
    );
  });

  it('is all of a text that is no echo', () => {
    fc.assert(
      fc.property(texts, texts, cuts, (has, said, places) => {
        fc.pre(!said.startsWith(has));
        expect(newOf(has, 'is-new', cut(said, places))).toBe(said);
      }),
    );
  });

  it('is what follows as much of the white space as comes again', () => {
    expect(newOf('\n\n', 'goes-on', ['\n', '\nnext'])).toBe('next');
    expect(newOf('\n\n', 'goes-on', ['\nnext'])).toBe('next');
    expect(newOf('\n\n', 'goes-on', ['next'])).toBe('next');
    expect(newOf('\n', 'goes-on', ['\n\nnext'])).toBe('\nnext');
    expect(newOf('\n', 'goes-on', [])).toBe('');
  });
});
