import { expect, test } from 'vitest';
import { compileFiles, Revisions } from '../../deploy/standalone/revisions.ts';
import { readRunSettings } from '../../deploy/standalone/settings.ts';
import type { GatewayConfig } from '../../proxy/config/schema.ts';
import { SnapshotStore } from '../../proxy/config/store.ts';
import type { Gateway } from '../../proxy/gateway.ts';
import { systemClock } from '../../proxy/system-clock.ts';
import { type Folder, makeFolder } from './folder.ts';
import { provider, route } from './manifests.ts';

interface Rig {
  readonly revisions: Revisions;
  readonly store: SnapshotStore;
  readonly offered: readonly GatewayConfig[];
  readonly refused: readonly (readonly string[])[];
  readonly lines: readonly string[];
  now: number;
}

/** The revisions of a folder, and a gateway that has nothing but its snapshots. */
async function startRig(folder: Folder, environment = {}): Promise<Rig> {
  const store = new SnapshotStore(systemClock);
  const offered: GatewayConfig[] = [];
  const refused: (readonly string[])[] = [];
  const lines: string[] = [];
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => log };
  const gateway: Gateway = {
    listening: { data: { host: '127.0.0.1', port: 1 }, admin: { host: '127.0.0.1', port: 2 } },
    log,
    snapshots: store,
    offer(config, credentials) {
      offered.push(config as GatewayConfig);
      return store.offer(config, credentials);
    },
    refuse(reasons) {
      refused.push(reasons);
      store.refuse({ revision: undefined, digest: undefined, reasons });
    },
    drain: async () => undefined,
  };
  const say = (line: string): void => void lines.push(line.replaceAll(`${folder.path}/`, ''));
  const settings = readRunSettings([folder.path], {}, {}, '0');
  const context = { environment, terminal: { print: say, warn: say }, now: () => rig.now };
  const rig: Rig = { revisions: undefined as never, store, offered, refused, lines, now: 1000 };
  const first = await compileFiles(settings, context, 0);
  gateway.offer(first.config, first.credentials);
  return Object.assign(rig, { revisions: new Revisions(gateway, first.config, settings, context) });
}

test('an edit in which everything is accepted is offered with a later revision', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const rig = await startRig(folder);
  folder.write('b.yaml', route('s', 'p'));
  await rig.revisions.renew();
  expect(rig.store.current?.revision).toBe(1001);
  expect([...(rig.store.current?.routes.keys() ?? [])]).toEqual(['default/r', 'default/s']);
  expect(rig.lines).toEqual(['the edit is in force: revision 1001']);
  rig.now = 5000;
  folder.write('c.yaml', route('t', 'p'));
  await rig.revisions.renew();
  expect(rig.store.current?.revision).toBe(5000);
});

test('an edit that changes nothing is not offered', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const rig = await startRig(folder);
  folder.write('a.yaml', `# a remark\n${provider('p')}${route('r', 'p')}`);
  await rig.revisions.renew();
  expect(rig.offered).toHaveLength(1);
  expect(rig.lines).toEqual([]);
});

test('an edit in which anything is wrong is refused as a whole, and a good one heals', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const rig = await startRig(folder);
  folder.write('a.yaml', provider('p') + route('r', 'p').replace('some-model', 'other') + route('s', 'missing'));
  await rig.revisions.renew();
  expect(rig.offered).toHaveLength(1);
  expect(rig.refused).toEqual([[expect.stringMatching(/LLMRoute default\/s .*"missing"/)]]);
  expect(rig.store.lastRefusal?.reasons).toHaveLength(1);
  expect(rig.lines).toEqual([
    expect.stringMatching(/^a\.yaml: LLMRoute default\/s spec\.rules\[0\]\.backends\[0\]\.providerRef: /),
    'the edit is not applied; revision 1000 goes on',
  ]);
  folder.write('a.yaml', provider('p') + route('r', 'p').replace('some-model', 'other'));
  await rig.revisions.renew();
  expect(rig.store.current?.revision).toBe(1001);
  expect(rig.store.lastRefusal).toBeUndefined();
});

test('taking back a bad edit clears the refusal', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const rig = await startRig(folder);
  folder.write('b.yaml', 'kind: [');
  await rig.revisions.renew();
  expect(rig.store.lastRefusal).toBeDefined();
  folder.write('b.yaml', '');
  await rig.revisions.renew();
  expect(rig.store.lastRefusal).toBeUndefined();
  expect(rig.store.current?.revision).toBe(1001);
});

test.each([
  ['all routes are gone', 'a.yaml', provider('p'), 'no route is left'],
  ['every file is empty', 'a.yaml', '', 'holds no object'],
  [
    'a variable is not set',
    'b.yaml',
    'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: "${GONE}"}',
    'GONE',
  ],
])('an edit after which %s is refused', async (_why, name, text, reason) => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const rig = await startRig(folder);
  folder.write(name, text);
  await rig.revisions.renew();
  expect(rig.offered).toHaveLength(1);
  expect(rig.refused.flat().join()).toContain(reason);
  expect(rig.lines.at(-1)).toMatch(/^the edit is not applied.*; revision 1000 goes on$/);
});

test('warnings do not hold an edit up, but are said', async () => {
  using folder = makeFolder({ 'a.yaml': provider('p') + route('r', 'p') });
  const rig = await startRig(folder);
  folder.write('b.yaml', route('s', 'p') + 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}');
  await rig.revisions.renew();
  expect(rig.lines).toEqual([
    expect.stringMatching(/^b\.yaml: Deployment default\/web: warning: /),
    'the edit is in force: revision 1001',
  ]);
});
