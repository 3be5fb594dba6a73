import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigTooLarge, type Packed, packConfig } from '../../../operator/apply/pack.ts';
import { type Published, readPublished } from '../../../proxy/config/published.ts';
import { configIndexSchema, indexName, partsMax } from '../../../proxy/config/schema.ts';
import {
  clientKey,
  type ConfigDraft,
  configOf,
  type ConfigPair,
  provider,
  route,
  ruleInOrder,
  upstreamKey,
} from '../../support/config.ts';

function filesOf({ index, parts, credentials }: Packed): Map<string, Buffer> {
  return new Map([index, ...parts, credentials].map(({ name, bytes }) => [name, Buffer.from(bytes)]));
}

function read(files: ReadonlyMap<string, Buffer>): Promise<Published | undefined> {
  return readPublished(
    (name) => Promise.resolve(files.get(name)),
    () => false,
  );
}

const draft: fc.Arbitrary<ConfigDraft> = fc
  .record({
    names: fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), {
      minLength: 1,
      maxLength: 30,
    }),
    attributes: fc.dictionary(fc.string(), fc.string({ unit: 'binary', maxLength: 300 }), { maxKeys: 20 }),
    secrets: fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 5 }),
  })
  .map(({ names, attributes, secrets }) => ({
    providers: names.map((name) => provider(name, 'https://example.com/v1', { attributes })),
    routes: names.map((name) => route(name, [ruleInOrder([name])])),
    upstreamKeys: secrets.map((secret, index) => upstreamKey(`key-${index}`, names[0]!, secret)),
  }));

/** Of about this size, whatever compression does. */
function incompressible(bytes: number): ConfigPair {
  const names = Array.from({ length: Math.ceil(bytes / 150) }, () => randomBytes(150).toString('base64'));
  return configOf({ providers: names.map((name) => provider(name, 'https://example.com/v1')), routes: [] });
}

describe('packing', () => {
  it('and reading give back what was packed, in parts that keep to their size', async () => {
    await fc.assert(
      fc.asyncProperty(draft, fc.integer({ min: 400, max: 20_000 }), async (drafted, partBytesMax) => {
        const { config, credentials } = configOf(drafted);
        let packed: Packed;
        try {
          packed = packConfig(config, credentials, { partBytesMax });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigTooLarge);
          return;
        }
        expect(packed.parts.every(({ bytes }) => bytes.length > 0 && bytes.length <= partBytesMax)).toBe(true);
        const published = await read(filesOf(packed));
        expect(published).toMatchObject({ type: 'complete', config, credentials });
      }),
      { numRuns: 200 },
    );
  });

  it('without any one of the files, nothing is read', async () => {
    const { config, credentials } = incompressible(40_000);
    const packed = packConfig(config, credentials, { partBytesMax: 10_000 });
    expect(packed.parts.length).toBeGreaterThan(2);
    const files = filesOf(packed);
    for (const name of files.keys()) {
      const rest = new Map(files);
      rest.delete(name);
      expect(await read(rest)).toMatchObject({ type: 'pending', missing: name });
    }
  });

  it('equal configurations give equal bytes', () => {
    const { config, credentials } = incompressible(40_000);
    const pack = (): Packed => packConfig(config, credentials, { partBytesMax: 10_000 });
    expect(pack()).toEqual(pack());
  });

  it('what fits into one part stays readable', () => {
    const { config, credentials } = configOf({ providers: [], routes: [] });
    const size = Buffer.byteLength(JSON.stringify(config));
    const { index, parts } = packConfig(config, credentials, { partBytesMax: size });
    expect(parts.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as unknown)).toEqual([config]);
    expect(index.name).toBe(indexName);
    expect(JSON.parse(Buffer.from(index.bytes).toString())).toMatchObject({ encoding: 'json' });
    const smaller = packConfig(config, credentials, { partBytesMax: size - 1 });
    expect(JSON.parse(Buffer.from(smaller.index.bytes).toString())).toMatchObject({ encoding: 'gzip' });
  });

  it('credentials stay readable up to 64 KiB, and are gzipped beyond', async () => {
    const keys = (count: number): ConfigPair =>
      configOf({
        providers: [],
        routes: [],
        clientKeys: Array.from({ length: count }, (_, number) => clientKey(`key-${number}`, `secret-${number}`)),
      });
    const few = keys(400);
    const small = packConfig(few.config, few.credentials, { partBytesMax: 1_000_000 });
    expect(small.credentials.name).toBe(`credentials-${few.credentials.digest}.json`);
    expect(JSON.parse(Buffer.from(small.credentials.bytes).toString())).toEqual(few.credentials);

    const many = keys(5_000);
    const large = packConfig(many.config, many.credentials, { partBytesMax: 1_000_000 });
    expect(large.credentials.name).toBe(`credentials-${many.credentials.digest}.json.gz`);
    // Two sets, for a while, in a Secret of 1 MiB.
    expect(2 * large.credentials.bytes.length).toBeLessThan(1024 * 1024);
    expect(packConfig(many.config, many.credentials, { partBytesMax: 1_000_000 })).toEqual(large);
    expect(await read(filesOf(large))).toMatchObject({ type: 'complete', credentials: many.credentials });
  });

  it('uses every part that there is room for, and says when that is not enough', () => {
    const { config, credentials } = incompressible(100_000);
    const whole = packConfig(config, credentials, { partBytesMax: 1_000_000 - 1 });
    expect(whole.parts).toHaveLength(1);
    const { parts } = packConfig(config, credentials, { partBytesMax: 190_000 });
    const compressed = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(compressed).toBeGreaterThan(partsMax);
    const least = packed(Math.ceil(compressed / partsMax));
    expect(least.parts).toHaveLength(partsMax);
    expect(() => configIndexSchema.parse(JSON.parse(Buffer.from(least.index.bytes).toString()))).not.toThrow();
    expect(() => packed(Math.floor(compressed / (partsMax + 1)))).toThrow(ConfigTooLarge);

    function packed(partBytesMax: number): Packed {
      return packConfig(config, credentials, { partBytesMax });
    }
  });
});
