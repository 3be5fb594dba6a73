import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigIntake } from '../../../proxy/config/config-intake.ts';
import { WatchedSource } from '../../../proxy/config/watched-source.ts';
import { settled, TestClock } from '../../support/clock.ts';
import { configOf, type ConfigPair, provider, upstreamKey } from '../../support/config.ts';
import { credentialsOf, indexObject, ObjectStore, writesOf } from './published-objects.ts';
import { keepLog, NotingSink } from './sink.ts';

const endpoint = 'https://models.example';

let clock: TestClock;
let objects: ObjectStore;
let sink: NotingSink;
let lines: string[];
let source: WatchedSource;

beforeEach(() => {
  clock = new TestClock();
  objects = new ObjectStore();
  sink = new NotingSink();
  lines = [];
  const log = keepLog(lines);
  const intake = new ConfigIntake(sink, log);
  source = new WatchedSource({ namespace: 'gateways', name: indexObject, objects, intake, clock, log });
  source.start();
});

afterEach(() => {
  source.stop();
  expect(clock.pending).toBe(0);
});

/** A configuration that fits into one part, with a secret of its own. */
function small(): ConfigPair {
  const secret = randomBytes(8).toString('hex');
  return configOf({ providers: [provider('p', endpoint)], routes: [], upstreamKeys: [upstreamKey('k', 'p', secret)] });
}

/** A configuration of several parts: no compression makes names of random letters small. */
function large(parts: number): ConfigPair {
  const names = Array.from({ length: 40 * parts }, () => randomBytes(150).toString('hex'));
  return configOf({ providers: names.map((name) => provider(name, endpoint)), routes: [] });
}

/** A part of it takes this much. */
const partBytesMax = 6_800;

async function pass(ms: number): Promise<void> {
  await settled();
  clock.turn(ms);
  await settled();
}

describe('a watched configuration', () => {
  it('is in a ConfigMap and the Secret that belongs to it', () => {
    expect(objects.watched).toEqual([
      { kind: 'ConfigMap', namespace: 'gateways', name: 'sluice-default' },
      { kind: 'Secret', namespace: 'gateways', name: 'sluice-default-credentials' },
    ]);
  });

  it('is offered when both are there, and each later one', async () => {
    const [first, second] = [small(), small()];
    const before = writesOf(first);
    objects.publish(before);
    await settled();
    objects.publish(writesOf(second, credentialsOf(before)));
    await settled();
    expect(sink.offered).toEqual([first, second]);
    expect(lines).toEqual([1, 2].map((nth) => `configuration in force | ${sink.revisions[nth - 1]}`));
    // Nothing is left to be waited for.
    expect(clock.pending).toBe(0);
  });

  it('waits for the other half, whichever watch is faster', async () => {
    const [first, second] = [small(), small()];
    objects.write(...writesOf(first));
    objects.tellIndex();
    await settled();
    expect(sink.offered).toEqual([]);
    objects.tellSecret();
    await settled();
    objects.write(...writesOf(second, credentialsOf(writesOf(first))));
    objects.tellSecret();
    await settled();
    expect(sink.offered).toEqual([first]);
    objects.tellIndex();
    await settled();
    expect(sink.offered).toEqual([first, second]);
  });

  it('that is seen again is not read again', async () => {
    objects.publish(writesOf(small()));
    await settled();
    for (let turn = 0; turn < 5; turn += 1) {
      objects.tellIndex();
      objects.tellSecret();
      await settled();
    }
    expect(sink.offered).toHaveLength(1);
  });

  it('that is refused is refused once', async () => {
    sink.reasons = ['routes.0: is odd'];
    objects.publish(writesOf(small()));
    await settled();
    objects.tellIndex();
    await settled();
    expect([sink.offered.length, lines.length]).toEqual([1, 1]);
  });
});

describe('shards', () => {
  it('are fetched when the index names them, and only then', async () => {
    const pair = large(8);
    const writes = writesOf(pair, {}, partBytesMax);
    expect(writes.length).toBeGreaterThan(4);
    objects.publish(writes);
    await settled();
    expect(sink.offered).toEqual([pair]);
    const shards = writes.slice(1, -1).map(({ name }) => name);
    expect(shards.slice(0, 2)).toEqual(['sluice-default-0', 'sluice-default-1']);
    expect(objects.fetched).toEqual(shards);
    objects.tellIndex();
    await settled();
    expect(objects.fetched).toEqual(shards);
  });

  it('of another revision, or that cannot be fetched, are fetched again, less and less often', async () => {
    const [first, second] = [large(3), large(3)];
    const writes = writesOf(first, {}, partBytesMax);
    objects.write(...writes, ...writesOf(second, {}, partBytesMax).slice(1, 2));
    objects.tellSecret();
    objects.tellIndex();
    await settled();
    expect([sink.offered.length, new Set(objects.fetched).size]).toEqual([0, 1]);
    const before = objects.fetched.length;
    for (const waitMs of [250, 500, 1_000, 2_000, 4_000]) await pass(waitMs);
    expect(objects.fetched.length - before).toBe(5);

    objects.fetchError = new Error('403: not you');
    await pass(8_000);
    await pass(16_000);
    expect(lines).toEqual(['cannot fetch a part | 403: not you']);
    objects.fetchError = undefined;
    objects.write(...writes);
    await pass(30_000);
    expect(sink.offered).toEqual([first]);
    expect(clock.pending).toBe(0);
  });

  it('are fetched at once when there is news', async () => {
    const [first, second] = [large(3), large(3)];
    objects.publish(writesOf(first, {}, partBytesMax).filter(({ name }) => name !== 'sluice-default-1'));
    await settled();
    for (let turn = 0; turn < 8; turn += 1) await pass(30_000);
    expect(sink.offered).toEqual([]);
    objects.publish(writesOf(second, {}, partBytesMax));
    await settled();
    expect(sink.offered).toEqual([second]);
  });
});

describe('what is missing', () => {
  it('is complained about once, after a minute and a half, by its revision, and is taken when it comes', async () => {
    const pair = small();
    objects.write(...writesOf(pair));
    objects.tellIndex();
    for (let waitedMs = 0; waitedMs < 90_000; waitedMs += 1_000) await pass(1_000);
    expect(sink.refused).toEqual([]);
    for (let waitedMs = 0; waitedMs < 120_000; waitedMs += 1_000) await pass(1_000);
    const reason = `credentials-${pair.credentials.digest}.json is missing`;
    expect(sink.refused).toEqual([[reason, pair.config.revision]]);
    expect(lines).toEqual([`configuration not taken | ${pair.config.revision} | ${reason}`]);
    objects.tellSecret();
    await settled();
    expect(sink.offered).toEqual([pair]);
  });

  it('altogether is said once, and is no refusal', async () => {
    for (let waitedMs = 0; waitedMs < 300_000; waitedMs += 1_000) await pass(1_000);
    expect(lines).toEqual(['configuration not taken | index.json is missing']);
    expect(sink.refused).toEqual([]);
  });
});

it.each([
  ['data of another kind', { data: { 'index.json': 7 } }],
  ['data that are no mapping', { data: 'index.json' }],
  ['no data', {}],
])('an object with %s holds no file', async (_what, object) => {
  objects.publish([{ name: indexObject, object }]);
  await settled();
  expect(sink.offered).toEqual([]);
});

it('a name that every object has is no file of it', async () => {
  const index = {
    version: 1,
    revision: 1,
    digest: 'a'.repeat(64),
    credentialsDigest: 'b'.repeat(64),
    encoding: 'json',
    parts: [{ name: 'constructor', sha256: 'c'.repeat(64) }],
  };
  const credentials = { [`credentials-${'b'.repeat(64)}.json`]: '' };
  objects.publish([
    { name: 'sluice-default-credentials', object: { data: credentials } },
    { name: indexObject, object: { data: { 'index.json': JSON.stringify(index) } } },
  ]);
  await settled();
  expect([sink.offered.length, lines.length]).toEqual([0, 0]);
});

it('in whatever order watches catch up, no pair is ever mixed, and the last one comes into force', async () => {
  const revisions = [small(), large(2), small(), large(3), large(2)];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('write', 'index', 'secret', 'wait'), { maxLength: 60 }),
      async (steps) => {
        const store = new ObjectStore();
        const taker = new NotingSink();
        const time = new TestClock();
        const log = keepLog([]);
        const intake = new ConfigIntake(taker, log);
        const following = new WatchedSource({
          namespace: 'gateways',
          name: indexObject,
          objects: store,
          intake,
          clock: time,
          log,
        });
        following.start();
        let previous = {};
        const writes = revisions.flatMap((pair) => {
          const own = writesOf(pair, previous, partBytesMax);
          previous = Object.fromEntries(Object.entries(credentialsOf(own)).slice(-1));
          return own;
        });
        for (const step of steps) {
          if (step === 'write') store.write(...writes.splice(0, 1));
          if (step === 'index') store.tellIndex();
          if (step === 'secret') store.tellSecret();
          if (step === 'wait') time.turn(500);
          await settled();
        }
        store.write(...writes);
        store.tellIndex();
        store.tellSecret();
        await settled();
        following.stop();
        for (const { config, credentials } of taker.offered) {
          const original = revisions.find((pair) => pair.config.revision === config.revision);
          expect({ config, credentials }).toEqual(original);
        }
        expect(taker.revisions).toEqual(taker.revisions.toSorted((a, b) => a - b));
        expect(taker.revision()).toBe(revisions.at(-1)?.config.revision);
      },
    ),
    { numRuns: 150 },
  );
});
