// What is published, read back: all of it, or nothing that could be taken for it.

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { packConfig } from '../../../operator/apply/pack.ts';
import {
  parseConfig,
  parseIndex,
  type PublishedObjects,
  readCredentials,
  readIndex,
  readParts,
} from '../../../operator/apply/read-back.ts';
import { type Output, outputNamesOf } from '../../../operator/watch/output.ts';
import { partHolder } from '../../../proxy/config/schema.ts';
import { type ConfigPair, configOf, provider, upstreamKey } from '../../support/config.ts';

const names = outputNamesOf('blue');

type Holder = Pick<Output, 'data' | 'binaryData'>;

function pair(models = 3): ConfigPair {
  const named = Array.from({ length: models }, (_, number) => {
    const name = createHash('sha256').update(String(number)).digest('base64');
    return { name, upstreamName: name };
  });
  return configOf({
    providers: [provider('one', 'https://one.example', { models: named })],
    routes: [],
    upstreamKeys: [upstreamKey('key', 'one', 'a secret')],
  });
}

/** The objects that hold a pair, in parts of this size. */
function publish({ config, credentials }: ConfigPair, partBytesMax: number) {
  const packed = packConfig(config, credentials, { partBytesMax });
  const holders = new Map<string, Holder>();
  const secret = { [packed.credentials.name]: Buffer.from(packed.credentials.bytes).toString('base64') };
  for (const [number, { name, bytes }] of packed.parts.entries()) {
    const isText = name.endsWith('.json');
    const text = Buffer.from(bytes).toString(isText ? 'utf8' : 'base64');
    const index = number === 0 ? { 'index.json': Buffer.from(packed.index.bytes).toString() } : {};
    holders.set(partHolder(names.index, number), {
      data: { ...index, ...(isText ? { [name]: text } : {}) },
      binaryData: isText ? {} : { [name]: text },
    });
  }
  const objects: PublishedObjects = {
    configMap: (name) => holders.get(name) as Output | undefined,
    secret: () => ({ data: secret, binaryData: {} }) as unknown as Output,
  };
  return { holders, secret, objects };
}

function read(objects: PublishedObjects) {
  const index = readIndex(names, objects);
  const parts = index && readParts(names, objects, index);
  return parts && parseConfig(parts, index);
}

describe('what is published', () => {
  it.each([
    ['in one readable part', 1_000_000],
    ['in many compressed parts', 400],
  ])('is read back as it was packed, %s', (_name, partBytesMax) => {
    const published = pair(20);
    const { objects, holders } = publish(published, partBytesMax);
    expect(holders.size > 1).toBe(partBytesMax === 400);
    expect(read(objects)).toEqual(published.config);
    const { credentialsDigest } = readIndex(names, objects)!;
    expect(readCredentials(credentialsDigest, objects)).toEqual(published.credentials);
  });

  it('is nothing where a part is missing, or another one than the index names', () => {
    for (const spoil of [
      (holders: Map<string, Holder>) => holders.delete(`${names.index}-0`),
      (holders: Map<string, Holder>) => holders.set(`${names.index}-0`, { data: {}, binaryData: {} }),
      (holders: Map<string, Holder>) =>
        holders.set(`${names.index}-0`, { data: {}, binaryData: { 'config.json.gz.1': 'AAAA' } }),
      (holders: Map<string, Holder>) => holders.delete(names.index),
    ]) {
      const { objects, holders } = publish(pair(20), 400);
      spoil(holders);
      expect(read(objects)).toBeUndefined();
    }
  });

  it('is nothing where it makes no sense, and never an error', () => {
    for (const text of [undefined, '', '{', '[]', 'null', '{"version":1}', '{"version":2,"revision":1}']) {
      expect(parseIndex(text)).toBeUndefined();
    }
    const { objects } = publish(pair(), 1_000_000);
    const index = readIndex(names, objects)!;
    expect(parseConfig(Buffer.from('{}'), index)).toBeUndefined();
    expect(parseConfig(Buffer.from('no gzip'), { ...index, encoding: 'gzip' })).toBeUndefined();
    expect(parseConfig(gzipSync('{"version":1}'), { ...index, encoding: 'gzip' })).toBeUndefined();
  });

  it('has no credentials but those that are asked for', () => {
    const { objects, secret } = publish(pair(), 1_000_000);
    const { credentialsDigest } = readIndex(names, objects)!;
    expect(readCredentials('0'.repeat(64), objects)).toBeUndefined();
    secret[Object.keys(secret)[0]!] = Buffer.from('{}').toString('base64');
    expect(readCredentials(credentialsDigest, objects)).toBeUndefined();
    expect(readCredentials(credentialsDigest, { ...objects, secret: () => undefined })).toBeUndefined();
  });

  it('does not blow up, however well it was compressed', () => {
    const { objects } = publish(pair(), 1_000_000);
    const index = { ...readIndex(names, objects)!, encoding: 'gzip' as const };
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 32));
    const before = process.memoryUsage().rss;
    expect(parseConfig(bomb, index)).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
  });
});
