import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOlder } from '../../../operator/watch/resource-version.ts';

const version = fc.bigInt({ min: 1n, max: 2n ** 63n }).map(String);

test('versions are numbers of any size', () => {
  expect([isOlder('9', '10'), isOlder('10', '9'), isOlder('10', '10')]).toEqual([true, false, false]);
  expect(isOlder('9007199254740992', '9007199254740993')).toBe(true);
  fc.assert(
    fc.property(version, version, (one, other) => {
      expect(isOlder(one, other)).toBe(BigInt(one) < BigInt(other));
    }),
  );
});

test.each([
  [undefined, '5'],
  ['5', undefined],
  [undefined, undefined],
  ['', '5'],
  ['5', ''],
  ['a', 'b'],
  ['05', '6'],
  ['0', '6'],
  ['-1', '6'],
  ['1.5', '6'],
])('what is no number is not older: %s and %s', (one, other) => {
  expect(isOlder(one, other)).toBe(false);
});
