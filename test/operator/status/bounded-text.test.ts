import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundText, joinBounded } from '../../../operator/status/bounded-text.ts';

const text = fc.string({ unit: 'binary', maxLength: 200 });

test('a text keeps to its bound in bytes, holds no control characters and survives UTF-8', () => {
  const raw = fc.oneof(text, fc.constantFrom('\ud800', '\u001b[31mred', 'two\nlines'));
  fc.assert(
    fc.property(raw, fc.integer({ min: 8, max: 300 }), (given, bytesMax) => {
      const bounded = boundText(given, bytesMax);
      const bytes = Buffer.from(bounded);
      expect(bytes.length).toBeLessThanOrEqual(bytesMax);
      expect(bytes.toString()).toBe(bounded);
      expect(bounded).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test('a list keeps to its bound, begins with its first part, and counts what it leaves out', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,60}$/), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(words, (parts) => {
      const joined = joinBounded(parts, { separator: '; ', bytesMax: 120 });
      expect(joined.length).toBeLessThanOrEqual(120);
      const told = joined.split('; ');
      const rest = /^and (\d+) more$/.exec(told.at(-1) ?? '');
      const names = rest === null ? told : told.slice(0, -1);
      expect(names).toEqual(parts.slice(0, names.length));
      expect(names.length + Number(rest?.[1] ?? 0)).toBe(parts.length);
    }),
  );
});

test('a first part that is too long by itself is cut', () => {
  expect(joinBounded(['x'.repeat(100), 'y'], { separator: ', ', bytesMax: 60 })).toBe(`${'x'.repeat(33)}…, and 1 more`);
  expect(joinBounded([], { separator: ', ', bytesMax: 60 })).toBe('');
});
