// Every official client with every vendor: what the client is told is what the vendor said, what the vendor hears is what
// the client asked, and what breaks is thrown. The results are a table at the end of the run.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { Stage } from '../../support/stage.ts';
import type { OfficialClient, Question } from '../../support/vendors/client.ts';
import { clients, stageOf } from './pairs.ts';
import { vendors } from '../../support/vendors/vendors.ts';
import { breakOff, refuse, said, speak, type Said, type Vendor } from '../../support/vendors/vendor.ts';
import type { Place } from '../../report/place.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** The place of a test in the table of clients and vendors. */
    matrix?: Place;
  }
}

/** The items of the checklist that tests of a client prove, beside those of particular vendors. */
const items: { readonly [client: string]: { readonly [feature: string]: string } } = {
  responses: { stream: '[137] ', tools: '[137] [141] [142] ', schema: '[145] ', reasoning: '[137] ', error: '[140] ' },
  anthropic: { stream: '[155] ', tools: '[158] [165] ', image: '[177] ', error: '[173] ' },
  ollama: {
    chat: '[187] ',
    stream: '[188] ',
    tools: '[190] [191] ',
    schema: '[193] ',
    reasoning: '[194] ',
    error: '[196] ',
  },
};

function itemsOf(client: string, feature: string): string {
  const name = Object.keys(items).find((word) => client.includes(word));
  return (name === undefined ? undefined : items[name]?.[feature]) ?? '';
}

const hello: Said = { text: 'Grüße from afar: good dây 😀!' };
const thought: Said = { thinking: 'hm, läßt sich machen 🤔', text: hello.text! };
const calling: Said = {
  text: 'I will look.',
  calls: [
    { id: 'Call00001', name: 'weather', input: { place: 'Köln' } },
    { id: 'Call00002', name: 'time', input: { place: 'Đà Nẵng', '24h': true } },
    // Without arguments.
    { id: 'Call00003', name: 'now', input: {} },
  ],
};
const results = ['rain', 'noon', 'late'];
const schema = {
  type: 'object',
  properties: { place: { type: 'string' } },
  required: ['place'],
  additionalProperties: false,
};
// One red pixel.
const image = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const question: Question = { system: 'be brief', user: 'what is new?' };

describe.each(vendors)('$name', (vendor) => {
  let stage: Stage<'it'>;
  beforeAll(async () => {
    stage = await stageOf(vendor);
  });
  afterAll(() => stage[Symbol.asyncDispose]());
  beforeEach(() => stage.upstreams.it.forget());

  const says = (what: Said): void => void (stage.upstreams.it.script = speak(vendor, what));
  const heard = (): ReturnType<Vendor['hear']> => vendor.hear(stage.upstreams.it.requests.at(-1)!);

  describe.each(clients)('$name', (client) => {
    const cell = (feature: string, body: () => Promise<void>): void => {
      const matrix = { client: client.name, vendor: vendor.name, feature };
      it(itemsOf(client.name, feature) + feature, { meta: { matrix } }, body);
    };
    const ask = (asked: Question, streamed: boolean): ReturnType<OfficialClient['ask']> =>
      client.ask(stage.gateway.url, asked, streamed);

    for (const streamed of [false, true]) {
      cell(streamed ? 'stream' : 'chat', async () => {
        says(hello);
        const told = await ask(question, streamed);
        expect(told).toMatchObject({ text: hello.text, calls: [], finish: 'stop' });
        expect(told.usage).toEqual(said);
        expect(heard()).toMatchObject({ system: 'be brief', user: ['what is new?'], tools: [], thinks: false });
      });
    }

    cell('tools', async () => {
      for (const streamed of [false, true]) {
        says(calling);
        const asked = { ...question, tools: ['weather', 'time', 'now'] };
        const told = await ask(asked, streamed);
        expect(told.finish).toBe('calls');
        expect(told.text).toBe(calling.text);
        expect(told.calls.map(({ name, input }) => ({ name, input }))).toEqual(
          calling.calls?.map(({ name, input }) => ({ name, input })),
        );
        expect(new Set(told.calls.map(({ id }) => id)).size).toBe(3);
        expect(heard().tools).toEqual(['weather', 'time', 'now']);

        says(hello);
        const after = await ask({ ...asked, before: { told, results } }, streamed);
        expect(after).toMatchObject({ text: hello.text, finish: 'stop' });
        const { calls, results: given } = heard();
        expect(calls.map(({ name, input }) => ({ name, input }))).toEqual(
          calling.calls?.map(({ name, input }) => ({ name, input })),
        );
        expect(given).toEqual(calls.map(({ id }, index) => ({ id, text: results[index] })));
      }
    });

    cell('image', async () => {
      says(hello);
      expect((await ask({ ...question, image }, false)).text).toBe(hello.text);
      expect(heard()).toMatchObject({ images: [image], user: ['what is new?'] });
    });

    cell('schema', async () => {
      for (const streamed of [false, true]) {
        says({ text: '{"place":"Köln"}' });
        expect(JSON.parse((await ask({ ...question, schema }, streamed)).text)).toEqual({ place: 'Köln' });
        expect(heard().schema).toMatchObject({ type: 'object', properties: { place: { type: 'string' } } });
      }
    });

    cell('reasoning', async () => {
      for (const streamed of [false, true]) {
        says(thought);
        const told = await ask({ ...question, thinks: true }, streamed);
        expect(told.text).toBe(thought.text);
        const isShown = vendor.showsThinking || stage.upstreams.it.requests.at(-1)!.target.endsWith('/responses');
        expect(told.thinking).toBe(isShown ? thought.thinking : '');
        expect(heard().thinks).toBe(vendor.hearsThinking !== false);
      }
    });

    cell('abort', async () => {
      stage.upstreams.it.script = breakOff(vendor, hello, 'silence');
      const leaving = new AbortController();
      let text = '';
      try {
        for await (const piece of client.listen(stage.gateway.url, question, leaving.signal)) {
          text += piece;
          leaving.abort();
        }
      } catch {
        // Some clients throw what they were told to do, others just end.
      }
      expect(leaving.signal.aborted).toBe(true);
      expect(hello.text!.startsWith(text)).toBe(true);
      await eventually(() => stage.upstreams.it.requests[0]?.closedAtMs !== undefined);
    });

    cell('error', async () => {
      stage.upstreams.it.script = refuse(vendor, 'there is no such voice');
      for (const streamed of [false, true]) {
        const error = await ask(question, streamed).then(
          () => expect.unreachable('it was answered'),
          (thrown: unknown) => thrown,
        );
        expect(client.statusOf(error)).toBe(400);
        expect(String(error)).toContain('there is no such voice');
      }
      for (const breakage of ['fault', 'end', 'reset'] as const) {
        stage.upstreams.it.script = breakOff(vendor, hello, breakage);
        await expect(ask(question, true), breakage).rejects.toThrow();
        let text = '';
        const listening = async (): Promise<void> => {
          for await (const piece of client.listen(stage.gateway.url, question, new AbortController().signal))
            text += piece;
        };
        await expect(listening(), breakage).rejects.toThrow();
        expect(text, breakage).not.toBe('');
        expect(hello.text!.startsWith(text)).toBe(true);
      }
    });
  });
});
