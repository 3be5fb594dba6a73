import { expect, test } from 'vitest';
import { toMicroTime } from '../../../operator/kube/micro-time.ts';

test.each([
  [1_700_000_000_000, '2023-11-14T22:13:20.000000Z'],
  [1_700_000_000_007, '2023-11-14T22:13:20.007000Z'],
  [1_700_000_000_120, '2023-11-14T22:13:20.120000Z'],
])('%d ms are %s: six digits of the second', (unixMs, text) => {
  expect(toMicroTime(unixMs)).toBe(text);
});
