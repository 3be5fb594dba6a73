// A directory and a watch at once: whichever is faster, and whatever becomes of the other.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigIntake } from '../../../proxy/config/config-intake.ts';
import { PublishedFollower } from '../../../proxy/config/published-follower.ts';
import { TestClock } from '../../support/clock.ts';
import { configOf, type ConfigPair, provider } from '../../support/config.ts';
import { packConfig } from '../../../operator/apply/pack.ts';
import { keepLog, NotingSink } from './sink.ts';

/** A place with files in it. */
class Place {
  files = new Map<string, Buffer>();
  readonly follower: PublishedFollower;

  constructor(place: string, intake: ConfigIntake, clock: TestClock) {
    this.follower = new PublishedFollower({ place, read: async (name) => this.files.get(name), intake, clock });
  }

  hold({ config, credentials }: ConfigPair): void {
    const packed = packConfig(config, credentials, { partBytesMax: 1_000_000 });
    this.files = new Map(
      [packed.index, ...packed.parts, packed.credentials].map(({ name, bytes }) => [name, Buffer.from(bytes)]),
    );
  }
}

const clock = new TestClock();
let sink: NotingSink;
let lines: string[];
let directory: Place;
let cluster: Place;

beforeEach(() => {
  sink = new NotingSink();
  lines = [];
  const intake = new ConfigIntake(sink, keepLog(lines));
  directory = new Place('/config', intake, clock);
  cluster = new Place('gateways/sluice-default', intake, clock);
});

afterEach(() => expect(sink.revisions).toEqual([...new Set(sink.revisions)].toSorted((a, b) => a - b)));

function newPair(): ConfigPair {
  return configOf({ providers: [provider('p', 'https://models.example')], routes: [] });
}

it('what both find is taken once, from the faster one', async () => {
  const [first, second, third] = [newPair(), newPair(), newPair()];
  directory.hold(first);
  await directory.follower.refresh();
  for (const pair of [first, second, third]) {
    cluster.hold(pair);
    await cluster.follower.refresh();
  }
  for (const pair of [second, third]) {
    directory.hold(pair);
    await directory.follower.refresh();
  }
  expect(sink.offered).toEqual([first, second, third]);
  expect(lines).toHaveLength(3);
});

it('what both find is refused once', async () => {
  sink.reasons = ['no'];
  const pair = newPair();
  for (const place of [directory, cluster]) {
    place.hold(pair);
    await Promise.all([place.follower.refresh(), place.follower.refresh()]);
  }
  expect([sink.offered.length, lines.length]).toEqual([1, 1]);
});

it('a directory that holds half of what is in force already is no reason to complain', async () => {
  const pair = newPair();
  cluster.hold(pair);
  await cluster.follower.refresh();
  directory.hold(pair);
  directory.files.delete(`credentials-${pair.credentials.digest}.json`);
  for (const waitMs of [0, 100_000, 100_000]) {
    clock.turn(waitMs);
    await directory.follower.refresh();
  }
  expect([sink.refused, lines.length]).toEqual([[], 1]);
});

it('a directory that is empty is said once, and holds nothing against what is in force', async () => {
  cluster.hold(newPair());
  await cluster.follower.refresh();
  for (const waitMs of [0, 100_000, 100_000]) {
    clock.turn(waitMs);
    await directory.follower.refresh();
  }
  expect(sink.refused).toEqual([]);
  expect(lines.slice(1)).toEqual(['configuration not taken | index.json is missing']);
});

it('a place that cannot be read is said once, and read again', async () => {
  const broken = new PublishedFollower({
    place: '/config',
    read: () => Promise.reject(new Error('EACCES')),
    intake: new ConfigIntake(sink, keepLog(lines)),
    clock,
  });
  await broken.refresh();
  await broken.refresh();
  expect(sink.refused).toEqual([['cannot read /config: EACCES', undefined]]);
});
