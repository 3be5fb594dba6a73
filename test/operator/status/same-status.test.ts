import { describe, expect, test } from 'vitest';
import { decideRouteStatus } from '../../../operator/status/route-status.ts';
import { sameStatus } from '../../../operator/status/same-status.ts';
import { before, diagnostic, routeFacts } from './facts-of.ts';

const status = decideRouteStatus(routeFacts());

describe('a status is the same', () => {
  test('after it went through the API server', () => {
    expect(sameStatus(JSON.parse(JSON.stringify(status)), status)).toBe(true);
  });

  test('in whatever order its entries and members are', () => {
    const { conditions = [], backends = [], ...rest } = status;
    const stored = { backends: backends.toReversed(), conditions: conditions.toReversed(), ...rest };
    expect(sameStatus(stored, status)).toBe(true);
  });

  test('where others have added conditions of their own', () => {
    const conditions = [before('example.com/Audited', 'True'), ...(status.conditions ?? [])];
    expect(sameStatus({ ...status, conditions }, status)).toBe(true);
  });

  test('where a member is undefined on one side and left out on the other', () => {
    expect(sameStatus({ ...status, keys: undefined }, status)).toBe(true);
  });
});

describe('a status is not the same', () => {
  test.each([undefined, null, 'text', {}])('as one that is not there: %j', (stored) => {
    expect(sameStatus(stored, status)).toBe(false);
  });

  test.each([
    ['another generation', { generation: 4 }],
    ['another message', { diagnostics: [diagnostic('ResolvedRefs', 'ProviderNotFound', { extent: 'part' })] }],
    ['one backend less', { served: new Set(['one']) }],
    ['other models', { models: [] }],
    ['another time', { now: '2026-06-01T12:00:01Z' }],
  ])('with %s', (_, different) => {
    const other = decideRouteStatus(routeFacts(different));
    expect(sameStatus(status, other)).toBe(false);
    expect(sameStatus(other, status)).toBe(false);
  });
});
