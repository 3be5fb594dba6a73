// Every client with every upstream: text, tool calls, ids and usage survive the way there and back. A few hundred
// conversations here; CONVERSATIONS says how many (`npm run test:conversations` holds a hundred thousand).

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../../support/vendors/vendor.ts';
import { clientWires } from './client-wire.ts';
import { type Conversation, hold, toolNames } from './session.ts';
import { upstreams } from './upstreams.ts';

const wanted = Number(process.env['CONVERSATIONS'] ?? 200);

/** Anything that is not blank, with all that text may hold, but for white space around it, which some vendors refuse. */
const text = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ unit: 'grapheme', maxLength: 30 }), fc.lorem())
  .map((value) => value.trim())
  .filter((value) => value !== '');
const input = fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 4,
});
const call = fc.record({
  name: fc.constantFrom(...toolNames),
  input: input.map((value) => JSON.parse(JSON.stringify(value)) as Json),
  result: text,
});
const round = fc
  .record({
    user: text,
    thinking: fc.option(text, { nil: '' }),
    text: fc.option(text, { nil: '' }),
    calls: fc.array(call, { maxLength: 3 }),
  })
  // An answer says something.
  .map((planned) => (planned.text === '' && planned.calls.length === 0 ? { ...planned, text: 'so' } : planned));
const conversation: fc.Arbitrary<Conversation> = fc.record({
  system: fc.option(text, { nil: '' }),
  rounds: fc.array(round, { minLength: 1, maxLength: 4 }),
  stream: fc.boolean(),
  chunkBytes: fc.integer({ min: 1, max: 400 }),
});

/** Every client holds each conversation, with one upstream after the other. */
function holdAll(planned: Conversation, from: number, count: number): number {
  for (const client of clientWires) {
    for (let at = from; at < from + count; at++) {
      const upstream = upstreams[at % upstreams.length]!;
      try {
        hold(planned, client, upstream);
      } catch (error) {
        throw new Error(`${client.protocol} with ${upstream.name}: ${String(error)}`, { cause: error });
      }
    }
  }
  return clientWires.length * count;
}

test('any conversation is whole between any client and any upstream', () => {
  fc.assert(
    fc.property(conversation, (planned) => void holdAll(planned, 0, upstreams.length)),
    { numRuns: 20 },
  );
});

test(`${wanted} conversations are`, { timeout: 30_000 + wanted * 100 }, () => {
  let turn = 0;
  let held = 0;
  fc.assert(
    fc.property(conversation, (planned) => {
      held += holdAll(planned, turn++, 1);
    }),
    { numRuns: wanted },
  );
  expect(held).toBe(wanted * clientWires.length);
});
