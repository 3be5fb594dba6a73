// One run for the whole class: what it publishes, what it says of each object, and when it wants to run again.

import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { Publisher } from '../../../operator/apply/publisher.ts';
import { readCredentials, readIndex } from '../../../operator/apply/read-back.ts';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { createConfigurationReconciler } from '../../../operator/reconcile/configuration.ts';
import { Ledger } from '../../../operator/reconcile/ledger.ts';
import { outputNamesOf } from '../../../operator/watch/output.ts';
import { createKeptLog } from '../queue/kept-log.ts';
import { TurnedClock } from '../queue/turned-clock.ts';
import { ObjectsApi } from '../apply/objects-api.ts';
import { type Caches, createCaches, type Written } from './caches.ts';

const names = outputNamesOf('default');
const index = 'configmaps/sluice-default';

const provider: Written = {
  kind: 'LLMProvider',
  metadata: { name: 'one' },
  spec: { type: 'OpenAI', credentials: { type: 'None' } },
};
const route: Written = {
  kind: 'LLMRoute',
  metadata: { name: 'chat' },
  spec: { path: '/chat', rules: [{ name: 'all', backends: [{ name: 'one', providerRef: { name: 'one' } }] }] },
};

function clientKey(expirationTime?: string): Written {
  const client = { models: ['*'] };
  const spec = { type: 'Client', secretRef: { name: 'app', key: 'key' }, client, expirationTime };
  return { kind: 'LLMKey', metadata: { name: 'app' }, spec };
}

const secret: Written = {
  kind: 'Secret',
  metadata: { name: 'app', labels: { 'sluice.dev/credential': 'true' } },
  data: { key: Buffer.from('of the app').toString('base64') },
};

describe('reconciling the configuration', () => {
  let api: ObjectsApi;
  let caches: Caches;
  let clock: TurnedClock;
  let ledger: Ledger;
  let served: number;
  let recorded: boolean[];
  let log: ReturnType<typeof createKeptLog>;
  let reconcile: () => Promise<{ readonly requeueAfterMs?: number }>;

  function start(): void {
    clock = new TurnedClock(Date.parse('2026-06-01T00:00:00Z'));
    ledger = new Ledger();
    served = 0;
    recorded = [];
    log = createKeptLog();
    const { outputs, secrets: publishedCredentials } = api;
    const publisher = new Publisher({
      client: api as unknown as KubeClient,
      namespace: 'gateways',
      names,
      outputs,
      publishedCredentials,
      mayWrite: () => true,
      monotonic: () => clock.monotonic(),
    });
    reconcile = createConfigurationReconciler({
      sources: caches.sources,
      publisher,
      names,
      ledger,
      className: 'default',
      disableSecondsDefault: 600,
      clock,
      log,
      served: () => served,
      onSecrets: () => undefined,
      onRecorded: (isNew) => void recorded.push(isNew),
    });
  }

  beforeEach(() => {
    api = new ObjectsApi();
    caches = createCaches(api.outputs, api.secrets);
    start();
  });

  it('publishes nothing while a cache has not seen everything', async () => {
    caches.put(provider);
    caches.missing = ['secrets'];
    expect(await reconcile()).toEqual({});
    expect([api.asked, recorded]).toEqual([[], []]);
    caches.missing = [];
    await reconcile();
    expect(api.get(index)).toBeDefined();
  });

  it('publishes what is new once, and says that there was nothing new the next time', async () => {
    caches.put(provider);
    caches.put(route);
    await reconcile();
    const { revision } = ledger.config!;
    await reconcile();
    expect(recorded).toEqual([true, false]);
    expect(ledger.config?.revision).toBe(revision);
    expect(ledger.publicationOf('LLMRoute team/chat')).toEqual({ type: 'published', since: revision });
  });

  it('keeps the revision after a restart, and what has not changed keeps its own', async () => {
    caches.put(provider);
    caches.put(route);
    await reconcile();
    const { revision } = ledger.config!;
    start();
    await reconcile();
    expect(ledger.config?.revision).toBe(revision);
    expect(recorded).toEqual([false]);
    clock.turn(5);
    caches.put({
      ...route,
      metadata: { name: 'chat', generation: 2 },
      spec: { ...(route['spec'] as object), path: '/c' },
    });
    await reconcile();
    expect(ledger.publicationOf('LLMProvider team/one')).toEqual({ type: 'published', since: revision });
    expect(ledger.publicationOf('LLMRoute team/chat')).toEqual({ type: 'published', since: ledger.config!.revision });
  });

  it('goes beyond what a proxy serves, where that is known and what was published is lost', async () => {
    served = clock.now() + 1_000_000;
    caches.put(provider);
    await reconcile();
    expect(ledger.config?.revision).toBe(served + 1);
    await reconcile();
    expect(ledger.config?.revision).toBe(served + 1);
  });

  it('leaves a key out when its time has come', async () => {
    caches.put(secret);
    caches.put(clientKey('2026-06-01T00:00:03Z'));
    expect(await reconcile()).toEqual({ requeueAfterMs: 3_000 });
    const held = () => readCredentials(readIndex(names, objectsOf(api))!.credentialsDigest, objectsOf(api));
    expect(held()?.clients).toMatchObject([{ id: 'team/app', expiresAt: Date.parse('2026-06-01T00:00:03Z') }]);
    clock.turn(3_000);
    await reconcile();
    expect(held()?.clients).toEqual([]);
    expect(ledger.diagnosticsOf('LLMKey team/app')).toMatchObject([{ reason: 'Expired' }]);
  });

  it('does not spin where a key ends within the second', async () => {
    caches.put(secret);
    caches.put(clientKey('2026-06-01T00:00:00.1Z'));
    expect(await reconcile()).toEqual({ requeueAfterMs: 1_000 });
  });

  it('says how objects stand while nothing can be published, but not at once', async () => {
    caches.put(provider);
    await reconcile();
    const { revision } = ledger.config!;
    caches.put(route);
    caches.put(clientKey());
    api.refuses = (request) => (request.startsWith('PATCH') ? { status: 403, reason: 'Forbidden' } : undefined);
    await expect(reconcile()).rejects.toMatchObject({ reason: 'Forbidden' });
    expect(ledger.generationOf('LLMRoute team/chat')).toBeUndefined();
    clock.turn(1_000);
    await expect(reconcile()).rejects.toMatchObject({ reason: 'Forbidden' });
    expect(ledger.diagnosticsOf('LLMKey team/app')).toMatchObject([{ reason: 'SecretNotFound' }]);
    expect(ledger.generationOf('LLMRoute team/chat')).toBe(1);
    expect(ledger.publicationOf('LLMRoute team/chat')).toEqual({ type: 'absent' });
    // What proxies have is in force.
    expect(ledger.publicationOf('LLMProvider team/one')).toEqual({ type: 'published', since: revision });
    api.refuses = () => undefined;
    await reconcile();
    expect(ledger.publicationOf('LLMRoute team/chat')).toMatchObject({ type: 'published' });
    expect(recorded).toEqual([true, false, true]);
  });

  it('has published, and says so, where only tidying up fails', async () => {
    caches.put(provider);
    const labels = names.labels;
    api.edit('configmaps/sluice-default-3', ({ metadata }) => ({ metadata: { ...metadata, labels } }));
    api.refuses = (request) => (request.startsWith('DELETE') ? { status: 403, reason: 'Forbidden' } : undefined);
    await expect(reconcile()).rejects.toMatchObject({ reason: 'Forbidden' });
    expect(ledger.publicationOf('LLMProvider team/one')).toMatchObject({ type: 'published' });
    expect(recorded).toEqual([true]);
  });

  it('says once that the configuration is too large, and what is published goes on', async () => {
    caches.put(provider);
    await reconcile();
    const { revision } = ledger.config!;
    const pad = randomBytes(9_000_000).toString('base64');
    const backends = [{ name: 'one', providerRef: { name: 'one' }, parameters: { set: { pad } } }];
    caches.put({ ...route, spec: { path: '/chat', rules: [{ name: 'all', backends }] } });
    await reconcile();
    await reconcile();
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { why: expect.stringMatching(/^the configuration takes/) },
    ]);
    expect(ledger.publicationOf('LLMRoute team/chat')).toMatchObject({ type: 'too-large' });
    expect(ledger.publicationOf('LLMProvider team/one')).toEqual({ type: 'published', since: revision });
  });

  it('keeps an object that no longer parses in its published form', async () => {
    caches.put(provider);
    caches.put(route);
    await reconcile();
    const { digest } = ledger.config!;
    caches.put({ ...route, metadata: { name: 'chat', generation: 2 }, spec: { rules: 'none' } });
    await reconcile();
    expect(ledger.config?.digest).toBe(digest);
    expect(ledger.diagnosticsOf('LLMRoute team/chat')[0]).toMatchObject({ condition: 'Accepted', reason: 'Invalid' });
    caches.remove({ ...route, spec: {} });
    await reconcile();
    expect(ledger.config?.routes).toEqual([]);
  });

  it('takes an object that is being deleted for gone', async () => {
    caches.put(provider);
    caches.put({ ...route, metadata: { name: 'chat', deletionTimestamp: '2026-06-01T00:00:00Z' } });
    await reconcile();
    expect(ledger.config?.routes).toEqual([]);
  });
});

function objectsOf({ outputs, secrets }: ObjectsApi) {
  return {
    configMap: (name: string) => outputs.get(`gateways/${name}`),
    secret: () => secrets.get(`gateways/${names.secret}`),
  };
}
