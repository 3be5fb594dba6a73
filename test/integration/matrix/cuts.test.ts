// A stream that stops, anywhere and in any way, is never taken for a whole answer by an official client: it throws, or has
// been told everything.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stage } from '../../support/stage.ts';
import { cutOff, type Said, speak } from '../../support/vendors/vendor.ts';
import type { Question } from '../../support/vendors/client.ts';
import { clients, stageOf } from './pairs.ts';
import { vendors } from '../../support/vendors/vendors.ts';

const what: Said = {
  text: 'I will look, läßt sich 🤔.',
  calls: [
    { id: 'Call00001', name: 'weather', input: { place: 'Köln' } },
    { id: 'Call00002', name: 'time', input: { place: 'Đà Nẵng' } },
  ],
};
const question: Question = { user: 'what is new?', tools: ['weather', 'time'] };
describe.each(vendors)('$name', (vendor) => {
  let stage: Stage<'it'>;
  beforeAll(async () => {
    stage = await stageOf(vendor);
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it.each(clients)('[7] never ends cleanly on a cut answer for $name', async (client) => {
    const { it: upstream } = stage.upstreams;
    upstream.script = speak(vendor, what);
    const bare = ({ text, calls, finish }: Awaited<ReturnType<typeof client.ask>>): object => ({
      text,
      finish,
      calls: calls.map(({ name, input }) => ({ name, input })),
    });
    const whole = bare(await client.ask(stage.gateway.url, question, true));
    let cut = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(10_000), fc.constantFrom('end', 'reset'), async (place, stop) => {
        upstream.script = cutOff(vendor, what, place / 10_000, stop);
        const told = await client.ask(stage.gateway.url, question, true).then(bare, () => undefined);
        if (told === undefined) cut += 1;
        else expect(told).toEqual(whole);
      }),
      { numRuns: 25 },
    );
    expect(cut).toBeGreaterThan(10);
  });
});
