import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRequestIds, requestIdOf } from '../../../proxy/ingress/request-id.ts';

/** Text with controls, ASCII and some of what lies beyond. */
const anyText = fc.array(fc.integer({ min: 0, max: 0x2ff })).map((codes) => String.fromCharCode(...codes));

test('every id is either the own one, unchanged and sane, or a new one', () => {
  const anything = fc.oneof(fc.string(), anyText, fc.stringMatching(/^[A-Za-z0-9._:-]{0,140}$/));
  fc.assert(
    fc.property(anything, (own) => {
      const id = requestIdOf({ 'x-request-id': own }, () => 'new');
      expect(id).toMatch(/^[A-Za-z0-9._:-]{1,128}$/);
      expect(id === own || id === 'new').toBe(true);
    }),
  );
});

test('without an own id, or with several, there is a new one', () => {
  expect(requestIdOf({}, () => 'new')).toBe('new');
  expect(requestIdOf({ 'x-request-id': ['a', 'b'] }, () => 'new')).toBe('new');
});

test('new ids are sane, begin with their prefix and never repeat', () => {
  const newId = createRequestIds('0a1b2c3d');
  const ids = Array.from({ length: 10_000 }, newId);
  expect(new Set(ids).size).toBe(10_000);
  for (const id of ids) expect(requestIdOf({ 'x-request-id': id }, () => 'not sane')).toBe(id);
  expect(ids[0]).toMatch(/^0a1b2c3d-/);
});
