import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Published, readPublished } from '../../../proxy/config/published.ts';
import type { ConfigIndex } from '../../../proxy/config/schema.ts';
import { configOf, provider, sha256 } from '../../support/config.ts';

const { config, credentials } = configOf({ providers: [provider('p', 'https://models.example')], routes: [] });
const text = JSON.stringify(config);
const credentialsFile = `credentials-${credentials.digest}.json`;

/** Files as they are published, with the configuration cut into parts. */
function publish(bytes: Buffer, encoding: ConfigIndex['encoding'], parts = 1): Map<string, Buffer> {
  const size = Math.ceil(bytes.length / parts);
  const cuts = Array.from({ length: parts }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
  const index = {
    version: 1,
    revision: config.revision,
    digest: config.digest,
    credentialsDigest: credentials.digest,
    encoding,
    parts: cuts.map((cut, number) => ({ name: `part-${number}`, sha256: sha256(cut) })),
  };
  return new Map([
    ['index.json', Buffer.from(JSON.stringify(index))],
    [credentialsFile, Buffer.from(JSON.stringify(credentials))],
    ...cuts.map((cut, number) => [`part-${number}`, cut] as const),
  ]);
}

function read(files: ReadonlyMap<string, Buffer>): Promise<Published | undefined> {
  return readPublished(
    (name) => Promise.resolve(files.get(name)),
    () => false,
  );
}

/** The same files, with the credentials gzipped. */
function withGzippedCredentials(
  files: ReadonlyMap<string, Buffer>,
  json = JSON.stringify(credentials),
): Map<string, Buffer> {
  const changed = new Map(files).set(`${credentialsFile}.gz`, gzipSync(json));
  changed.delete(credentialsFile);
  return changed;
}

describe('files that are all there', () => {
  test.each([
    ['in one part', publish(Buffer.from(text), 'json')],
    ['in several parts', publish(Buffer.from(text), 'json', 3)],
    ['gzipped', publish(gzipSync(text), 'gzip')],
    ['gzipped in several parts', publish(gzipSync(text), 'gzip', 9)],
    ['with credentials that are gzipped too', withGzippedCredentials(publish(gzipSync(text), 'gzip'))],
    [
      'cut inside a character',
      publish(Buffer.from(JSON.stringify({ ...config, className: 'ü'.repeat(99) })), 'json', 7),
    ],
  ])('are put together: %s', async (what, files) => {
    const className = what.startsWith('cut') ? 'ü'.repeat(99) : config.className;
    const published = await read(files);
    expect(published).toMatchObject({ type: 'complete', config: { ...config, className }, credentials });
  });

  test('are not read again where the index names what is known', async () => {
    const asked: string[] = [];
    const files = publish(Buffer.from(text), 'json');
    const readAsked = (name: string): Promise<Buffer | undefined> => {
      asked.push(name);
      return Promise.resolve(files.get(name));
    };
    const seen: number[] = [];
    expect(await readPublished(readAsked, ({ revision }) => seen.push(revision) > 0)).toBeUndefined();
    expect([asked, seen]).toEqual([['index.json'], [config.revision]]);
  });

  test('are asked for with the number of the part, where they are one', async () => {
    const asked: (readonly [string, number | undefined])[] = [];
    const files = publish(gzipSync(text), 'gzip', 3);
    const readAsked = (name: string, part?: number): Promise<Buffer | undefined> => {
      asked.push([name, part]);
      return Promise.resolve(files.get(name));
    };
    await readPublished(readAsked, () => false);
    expect(asked).toEqual([
      ['index.json', undefined],
      [credentialsFile, undefined],
      ['part-0', 0],
      ['part-1', 1],
      ['part-2', 2],
    ]);
  });

  test('have readable credentials before gzipped ones', async () => {
    const files = publish(Buffer.from(text), 'json').set(`${credentialsFile}.gz`, gzipSync('{}'));
    expect(await read(files)).toMatchObject({ type: 'complete', credentials });
  });
});

describe('files that are pending', () => {
  const files = publish(gzipSync(text), 'gzip', 2);

  test.each(['index.json', 'part-0', 'part-1', credentialsFile])('%s has not come yet', async (missing) => {
    const some = new Map(files);
    some.delete(missing);
    expect(await read(some)).toMatchObject({ type: 'pending', missing });
  });

  test('a part of another revision is as good as none', async () => {
    const mixed = new Map(files).set('part-1', Buffer.from('of another revision'));
    expect(await read(mixed)).toMatchObject({
      type: 'pending',
      missing: 'part-1',
      index: { revision: config.revision },
    });
  });
});

describe('files that are broken', () => {
  const files = publish(Buffer.from(text), 'json');
  const reasonOf = (published: Published | undefined): string | undefined =>
    published?.type === 'broken' ? published.reason : published?.type;

  test('an index that is no JSON', async () => {
    expect(reasonOf(await read(new Map(files).set('index.json', Buffer.from('{'))))).toBe('index.json is not JSON');
  });

  test.each([
    ['another version', { version: 2 }, /^index\.json: version: /],
    ['no parts', { parts: [] }, /^index\.json: parts: /],
    ['too many parts', { parts: Array(10).fill({ name: 'a', sha256: sha256('') }) }, /^index\.json: parts: /],
    ['a part in another folder', { parts: [{ name: '../a', sha256: sha256('') }] }, /^index\.json: parts\.0\.name: /],
    ['another encoding', { encoding: 'brotli' }, /^index\.json: encoding: /],
  ])('an index with %s', async (_what, differs, reason) => {
    const index = { ...JSON.parse(String(files.get('index.json'))), ...differs };
    const published = await read(new Map(files).set('index.json', Buffer.from(JSON.stringify(index))));
    expect(reasonOf(published)).toMatch(reason);
  });

  test.each([
    ['no JSON', publish(Buffer.from('CANARY'), 'json')],
    ['no gzip', publish(Buffer.from(text), 'gzip')],
    ['credentials that are no JSON', new Map(files).set(credentialsFile, Buffer.from('CANARY'))],
    [
      'credentials that are no gzip',
      new Map(withGzippedCredentials(files)).set(`${credentialsFile}.gz`, Buffer.from('CANARY')),
    ],
    ['more than 32 MiB of credentials', withGzippedCredentials(files, ' '.repeat(32 * 1024 * 1024 + 1))],
    ['more than 128 MiB when unpacked', publish(gzipSync(Buffer.alloc(128 * 1024 * 1024 + 1)), 'gzip')],
  ])('%s, and the reason quotes nothing', async (_what, broken) => {
    const published = await read(broken);
    expect(published).toMatchObject({ type: 'broken', index: { revision: config.revision } });
    expect(reasonOf(published)).toBe('the configuration or its credentials cannot be unpacked as JSON');
  });
});
