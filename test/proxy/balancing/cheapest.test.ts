import { describe, expect, it } from 'vitest';
import type { Choice } from '../../../proxy/balancing/picker.ts';
import { chiSquare, picker, plain, tally } from './rig.ts';

type Price = readonly [inputPerMillion: number, outputPerMillion: number];

function priced(id: string, price: Price | undefined, maxOutputTokens?: number): Choice {
  const model = { name: 'm', upstreamName: 'm', ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }) };
  const prices = price && { inputPerMillion: price[0], outputPerMillion: price[1] };
  return { id, weight: 1, backend: { id, modelConfig: prices === undefined ? model : { ...model, price: prices } } };
}

// Cheap to read and dear to write, and the other way round.
const reader = priced('reader', [1_000_000, 20_000_000]);
const writer = priced('writer', [5_000_000, 6_000_000]);

function pickFor(inputTokens: number, outputTokensMax: number | undefined, among = [reader, writer]): string {
  return picker('Cheapest').pick(among, { ...plain, inputTokens, outputTokensMax }).id;
}

describe('Cheapest', () => {
  it('asks for the price of this request: long questions here, long answers there', () => {
    expect(pickFor(100_000, 500)).toBe('reader');
    expect(pickFor(200, 4_000)).toBe('writer');
  });

  it('reckons with a usual answer where the client sets no limit, and with no longer one than the model gives', () => {
    expect(pickFor(2_000, undefined)).toBe('writer');
    expect(pickFor(10_000, undefined)).toBe('reader');
    expect(pickFor(200, 100_000, [priced('short', [1_000_000, 20_000_000], 100), writer])).toBe('short');
  });

  it('asks a model without a price last', () => {
    expect(pickFor(1, 1, [priced('unknown', undefined), reader])).toBe('reader');
    expect(pickFor(1, 1, [priced('unknown', undefined)])).toBe('unknown');
  });

  it('shares at random among equal prices, over 100 000 picks (chi-square at 0.1 %, one degree of freedom)', () => {
    const equal = [priced('a', [3, 4]), priced('b', [3, 4]), priced('dear', [9, 9])];
    const counts = tally(picker('Cheapest'), equal, 100_000);
    expect(counts.get('dear')).toBeUndefined();
    expect(chiSquare(counts, { a: 1, b: 1 })).toBeLessThan(10.83);
  });
});
