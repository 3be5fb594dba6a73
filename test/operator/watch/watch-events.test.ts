import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEvents, type WatchEvent } from '../../../operator/watch/watch-events.ts';

async function* crumbs(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(start, cut);
    start = cut;
  }
}

async function eventsIn(text: string | Uint8Array, cuts: readonly number[] = []): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for await (const event of readEvents(crumbs(Buffer.from(text), cuts))) events.push(event);
  return events;
}

const added = { type: 'ADDED', object: { metadata: { name: 'a' }, data: 'ü' } };

const anyEvent = fc.record({
  type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'),
  object: fc.record({ metadata: fc.record({ name: fc.string({ unit: 'grapheme' }) }), spec: fc.jsonValue() }),
});

describe('events of a watch', () => {
  test('are the same however their bytes are split', async () => {
    const property = fc.asyncProperty(
      fc.array(anyEvent, { maxLength: 5 }),
      fc.array(fc.nat(400), { maxLength: 20 }),
      fc.constantFrom('', '{"type":"ADDED","obj'),
      async (events, cuts, rest) => {
        const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join('') + rest);
        const within = cuts.map((cut) => Math.min(cut, bytes.length));
        // As JSON has them: it knows no negative zero.
        expect(await eventsIn(bytes, within)).toEqual(JSON.parse(JSON.stringify(events)));
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  test('come one by one, before the rest is there', async () => {
    const read = readEvents(
      (async function* bytes() {
        yield Buffer.from(`${JSON.stringify(added)}\n{`);
        throw new Error('cut');
      })(),
    );
    expect((await read.next()).value).toEqual(added);
    await expect(read.next()).rejects.toThrow('cut');
  });

  test('may have empty lines between them', async () => {
    expect(await eventsIn(`\n${JSON.stringify(added)}\n\n`)).toEqual([added]);
    expect(await eventsIn('')).toEqual([]);
  });

  test('may be errors, which have no metadata', async () => {
    const error = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } };
    expect(await eventsIn(`${JSON.stringify(error)}\n`)).toEqual([error]);
  });

  test.each([
    '<html>CANARY</html>',
    '{"type":"ADDED","object":{"data":"CANARY"}',
    '"CANARY"',
    'null',
    '{"object":{"metadata":{"name":"CANARY"}}}',
    '{"type":5,"object":{"metadata":{"name":"CANARY"}}}',
    '{"type":"ADDED","object":null}',
    '{"type":"ADDED","object":"CANARY"}',
    '{"type":"ADDED","object":{"data":"CANARY"}}',
    '{"type":"ERROR","object":null}',
  ])('that are none end the watch, and are not quoted: %s', async (line) => {
    const error: unknown = await eventsIn(`${line}\n`).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/^a watch event (is not JSON|has no type or no object)$/);
    expect(String((error as Error).cause)).not.toContain('CANARY');
  });

  test('that never end are not kept in memory', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 1;
        yield Buffer.alloc(1024 * 1024, 'x');
      }
    }
    await expect(readEvents(endless()).next()).rejects.toThrow('larger than 16777216 bytes');
    expect(sent).toBe(17);
  });
});
