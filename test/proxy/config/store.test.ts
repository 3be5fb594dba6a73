import { expect, test } from 'vitest';
import { SnapshotStore } from '../../../proxy/config/store.ts';
import { backend, type ConfigPair, configOf, provider, route, rule } from '../../support/config.ts';

let nowMs = 1000;
const clock = { now: () => nowMs, setTimer: () => ({ cancel: () => undefined }) };

/** A sound configuration; each is later than the ones before. */
function sound(): ConfigPair {
  return configOf({
    providers: [provider('p', 'https://models.example')],
    routes: [route('r', [rule([backend('p')])])],
  });
}

function broken(): ConfigPair {
  return configOf({ providers: [], routes: [route('r', [rule([backend('p')])])] });
}

test('nothing is in force before the first configuration', () => {
  const store = new SnapshotStore(clock);
  expect([store.current, store.servedSinceMs, store.lastRefusal]).toEqual([undefined, 0, undefined]);
});

test('a sound configuration is in force at once, and listeners hear of it with the one before', () => {
  const store = new SnapshotStore(clock);
  const heard: (readonly [number, number | undefined, boolean])[] = [];
  store.onChange((next, previous) => heard.push([next.revision, previous?.revision, store.current === next]));
  const [first, second] = [sound(), sound()];
  nowMs = 2000;
  expect(store.offer(first.config, first.credentials)).toBeUndefined();
  nowMs = 3000;
  expect(store.offer(second.config, second.credentials)).toBeUndefined();
  expect([store.current?.digest, store.servedSinceMs]).toEqual([second.config.digest, 3000]);
  expect(heard).toEqual([
    [first.config.revision, undefined, true],
    [second.config.revision, first.config.revision, true],
  ]);
});

test('the last good configuration goes on where the next is refused', () => {
  const store = new SnapshotStore(clock);
  const [good, bad, better] = [sound(), broken(), sound()];
  store.offer(good.config, good.credentials);
  const since = store.servedSinceMs;
  nowMs = 9000;
  const refusal = store.offer(bad.config, bad.credentials);
  expect(refusal).toEqual({
    revision: bad.config.revision,
    digest: bad.config.digest,
    reasons: ['route default/r: backend p: provider default/p does not exist'],
    atMs: 9000,
  });
  expect(store.lastRefusal).toBe(refusal);
  expect([store.current?.digest, store.servedSinceMs]).toEqual([good.config.digest, since]);
  store.offer(better.config, better.credentials);
  expect([store.current?.digest, store.lastRefusal]).toEqual([better.config.digest, undefined]);
});

test('revisions only go forward', () => {
  const store = new SnapshotStore(clock);
  const [old, now] = [sound(), sound()];
  store.offer(now.config, now.credentials);
  expect(store.offer(old.config, old.credentials)).toBeUndefined();
  expect(store.offer({ ...old.config, revision: now.config.revision }, old.credentials)).toBeUndefined();
  expect(store.current?.digest).toBe(now.config.digest);
  expect(store.lastRefusal).toBeUndefined();
});

test('credentials of another configuration are refused, and the right ones are taken afterwards', () => {
  const store = new SnapshotStore(clock);
  const [one, other] = [sound(), sound()];
  expect(store.offer(one.config, other.credentials)?.reasons).toEqual([
    `the credentials are not those of revision ${one.config.revision}`,
  ]);
  expect(store.current).toBeUndefined();
  expect(store.offer(one.config, one.credentials)).toBeUndefined();
  expect(store.current?.digest).toBe(one.config.digest);
});

test.each([
  ['no object', 'nonsense', undefined],
  ['nothing', undefined, undefined],
  ['an object of something else', { kind: 'ConfigMap' }, undefined],
  ['a revision that is no number', { revision: 'x', digest: 7 }, undefined],
  ['another version of the contract', { ...sound().config, version: 2, revision: 5 }, 5],
])('%s is refused, not thrown', (_what, config, revision) => {
  const store = new SnapshotStore(clock);
  const refusal = store.offer(config, sound().credentials);
  expect(refusal?.revision).toBe(revision);
  expect(refusal?.reasons.length).toBeGreaterThan(0);
});

test('a refusal says where, for the credentials too, and never what a credential is', () => {
  const store = new SnapshotStore(clock);
  const { config, credentials } = sound();
  expect(store.offer({ ...config, providers: [{ id: 'default/p' }] }, credentials)?.reasons).toContainEqual(
    expect.stringMatching(/^providers\.0\.baseURL: /),
  );
  const wrong = { ...credentials, upstream: [{ id: 'CANARY', value: ['CANARY'], expiresAt: 'CANARY' }] };
  const refusal = store.offer(config, wrong);
  expect(refusal?.reasons).toContainEqual(expect.stringMatching(/^upstream\.0\.value: /));
  expect(JSON.stringify(refusal)).not.toContain('CANARY');
});

test('a refusal keeps twenty reasons', () => {
  const store = new SnapshotStore(clock);
  const routes = Array.from({ length: 30 }, (_, index) => route(`r${index}`, [rule([backend('gone')])]));
  const { config, credentials } = configOf({ providers: [], routes });
  expect(store.offer(config, credentials)?.reasons).toHaveLength(20);
});

test('a rule may have no backend: its requests are refused, not the configuration', () => {
  const store = new SnapshotStore(clock);
  const { config, credentials } = configOf({ providers: [], routes: [route('r', [rule([])])] });
  expect(store.offer(config, credentials)).toBeUndefined();
  expect(store.current?.routes.get('default/r')?.rules[0]?.tiers).toEqual([]);
});
