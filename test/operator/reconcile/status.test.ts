// When a status is written, and when not: never twice the same, never too early, and not too often.

import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeCall, KubeClient } from '../../../operator/kube/client.ts';
import { toKubeError } from '../../../operator/kube/kube-error.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';
import { mergeDisabled } from '../../../operator/reconcile/disabled-targets.ts';
import { Ledger } from '../../../operator/reconcile/ledger.ts';
import { describeFacts } from '../../../operator/reconcile/operator-facts.ts';
import { Pools } from '../../../operator/reconcile/pools.ts';
import { createStatusReconciler, type StatusReconciler } from '../../../operator/reconcile/status.ts';
import type { DisabledTarget, ProxyReport } from '../../../operator/status/proxy-report.ts';
import type { Resource } from '../../../operator/watch/resource.ts';
import { type ConfigPair, configOf, provider, route, ruleInOrder } from '../../support/config.ts';
import { TurnedClock } from '../queue/turned-clock.ts';
import { type Caches, createCaches } from './caches.ts';

interface StatusBody {
  readonly metadata: { readonly uid: string };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

const key = 'LLMRoute default/chat';

describe('reconciling a status', () => {
  let caches: Caches;
  let clock: TurnedClock;
  let ledger: Ledger;
  let reports: ProxyReport[];
  let asked: boolean;
  let leads: boolean;
  let publishedAgoMs: number;
  let writes: (KubeCall & { readonly body: StatusBody })[];
  let events: string[];
  let refusal: number | undefined;
  let reconciler: StatusReconciler;
  let generation: number;

  function start(): void {
    const client = {
      async call<T>(call: KubeCall): Promise<T> {
        if (refusal !== undefined) throw toKubeError('PATCH', { status: refusal, body: '' });
        const write = call as (typeof writes)[number];
        writes.push(write);
        // The API server's answer: the object with the new status.
        return toRoute(write.body.status) as T;
      },
    };
    const pools = new Pools(caches.sources.keys);
    pools.update(ledger.config, ledger.credentials);
    reconciler = createStatusReconciler({
      sources: caches.sources,
      ledger,
      pools,
      reports: () => reports,
      disabled: () => mergeDisabled(reports),
      generationProblems: new Map(),
      now: () => new Date(clock.now()).toISOString().replace(/\.\d+/, ''),
      acks: { asked: () => asked },
      client: client as unknown as KubeClient,
      events: { record: ({ type, reason }) => void events.push(`${type} ${reason}`) },
      mayWrite: () => leads,
      clock,
      publishedAgoMs: () => publishedAgoMs,
    });
  }

  beforeEach(() => {
    caches = createCaches();
    clock = new TurnedClock();
    ledger = new Ledger();
    reports = [];
    asked = true;
    leads = true;
    publishedAgoMs = 60_000;
    writes = [];
    events = [];
    refusal = undefined;
    generation = 1;
    caches.put(toRoute());
  });

  let version = 1_000;

  function toRoute(status?: object): KubeObject & { readonly kind: 'LLMRoute' } {
    version += 1;
    const backends = [{ name: 'one', providerRef: { name: 'one' } }];
    return {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'LLMRoute',
      metadata: {
        namespace: 'default',
        name: 'chat',
        uid: 'uid-chat',
        generation,
        creationTimestamp: '2026-01-01T00:00:00Z',
        resourceVersion: String(version),
      },
      spec: { path: '/chat', rules: [{ name: 'all', backends }] },
      ...(status && { status }),
    };
  }

  function publish(path = '/chat'): ConfigPair {
    const pair = configOf({
      providers: [provider('one', 'https://one.example')],
      routes: [route('chat', [ruleInOrder(['one'])], { path })],
    });
    const resources = caches.sources.routes.list() as readonly Resource[];
    ledger.record(resources, { ...pair, diagnostics: [] }, { type: 'published', config: pair.config });
    return pair;
  }

  function serving(revision: number | undefined, disabled: readonly DisabledTarget[] = []): ProxyReport {
    return { proxy: `proxy-${reports.length}`, revision, refusal: undefined, disabled };
  }

  function written(): readonly string[] {
    return (writes.at(-1)?.body.status.conditions ?? []).map(({ type, status }) => `${type}=${status}`);
  }

  it('says nothing of a form that has not been compiled', async () => {
    start();
    expect(await reconciler.reconcile(key)).toEqual({});
    expect(await reconciler.reconcile('LLMRoute default/unknown')).toEqual({});
    expect(await reconciler.reconcile('nonsense')).toEqual({});
    expect(writes).toEqual([]);
  });

  it('writes once what is decided, for this very object, with its Event', async () => {
    reports = [serving(publish().config.revision)];
    start();
    await reconciler.reconcile(key);
    expect(writes[0]).toMatchObject({
      method: 'PATCH',
      path: '/apis/sluice.dev/v1alpha1/namespaces/default/llmroutes/chat/status',
      query: { fieldManager: 'sluice-operator', force: true },
      contentType: 'application/apply-patch+yaml',
      body: { metadata: { uid: 'uid-chat' } },
    });
    expect(written()).toEqual(['Accepted=True', 'ResolvedRefs=True', 'Programmed=True', 'Ready=True']);
    expect(events).toEqual(['Normal Ready']);
    await reconciler.reconcile(key);
    expect([writes.length, events.length]).toEqual([1, 1]);
  });

  it('says nothing before the proxies have been asked', async () => {
    publish();
    reports = [serving(undefined)];
    asked = false;
    start();
    await reconciler.reconcile(key);
    expect(reconciler.isDue(caches.sources.routes.list()[0]!)).toBe(false);
    expect(writes).toEqual([]);
    asked = true;
    await reconciler.reconcile(key);
    expect(written()).toContain('Programmed=Unknown');
  });

  it('waits a moment for proxies to follow, and no longer', async () => {
    const { config } = publish();
    reports = [serving(config.revision - 1)];
    publishedAgoMs = 20;
    start();
    expect(await reconciler.reconcile(key)).toEqual({ requeueAfterMs: 480 });
    expect(writes).toEqual([]);
    publishedAgoMs = 500;
    await reconciler.reconcile(key);
    expect(written()).toContain('Programmed=Unknown');
  });

  it('does not wait with what is wrong', async () => {
    publishedAgoMs = 20;
    publish();
    start();
    await reconciler.reconcile(key);
    expect(written()).toContain('Programmed=False');
  });

  it('writes what changes by itself every three seconds, and what matters at once', async () => {
    const { config } = publish();
    const out = { kind: 'backend', id: 'default/chat/one', hard: false, reason: 'Timeout', until: undefined } as const;
    reports = [serving(config.revision)];
    start();
    await reconciler.reconcile(key);
    reports = [serving(config.revision, [out])];
    clock.turn(1_000);
    expect(await reconciler.reconcile(key)).toEqual({ requeueAfterMs: 2_000 });
    clock.turn(2_000);
    await reconciler.reconcile(key);
    expect(writes).toHaveLength(2);
    reports = [];
    await reconciler.reconcile(key);
    expect(writes).toHaveLength(3);
    expect(written()).toContain('Programmed=False');
  });

  it('takes an object that is gone for gone, and any other refusal for a failure without an Event', async () => {
    reports = [serving(publish().config.revision)];
    start();
    refusal = 404;
    await reconciler.reconcile(key);
    refusal = 409;
    await expect(reconciler.reconcile(key)).rejects.toMatchObject({ status: 409 });
    expect(events).toEqual([]);
  });

  it('writes nothing while another replica leads', async () => {
    reports = [serving(publish().config.revision)];
    leads = false;
    start();
    await expect(reconciler.reconcile(key)).rejects.toThrow('does not lead');
    expect(writes).toEqual([]);
  });

  it('keeps what an earlier leader called programmed, although proxies refuse the present revision', async () => {
    const first = publish();
    reports = [serving(first.config.revision)];
    start();
    await reconciler.reconcile(key);
    // The next revision is refused because of another object; then the leader changes.
    const second = { ...first, config: { ...first.config, revision: first.config.revision + 1 } };
    ledger = new Ledger();
    ledger.adopt(second.config, second.credentials);
    ledger.record(caches.sources.routes.list(), { ...second, diagnostics: [] }, { type: 'published', ...second });
    const refusing = { revision: second.config.revision, reasons: ['route default/other: no'] };
    reports = [{ ...serving(first.config.revision), refusal: refusing }];
    start();
    await reconciler.reconcile(key);
    expect(writes).toHaveLength(1);
    // One that comes with an older configuration is behind, as ever.
    reports = [...reports, serving(first.config.revision - 1)];
    await reconciler.reconcile(key);
    expect(written()).toContain('Programmed=Unknown');
  });

  it('holds a refusal against an object that an earlier leader did not call programmed', async () => {
    const { config, credentials } = publish();
    ledger = new Ledger();
    ledger.adopt(config, credentials);
    ledger.record(
      caches.sources.routes.list(),
      { config, credentials, diagnostics: [] },
      { type: 'published', config },
    );
    reports = [{ ...serving(config.revision - 1), refusal: { revision: config.revision, reasons: ['no'] } }];
    start();
    await reconciler.reconcile(key);
    expect(written()).toContain('Programmed=False');
  });

  it('is counted, by kind and by whether it is ready, and so are the proxies once they have been asked', () => {
    reports = [serving(7), serving(undefined)];
    const acks = { asked: () => asked, reports: () => reports };
    asked = false;
    expect(describeFacts(caches.sources, acks).proxies).toEqual({ current: 0, refused: 0, behind: 0 });
    asked = true;
    const { revision, objects, proxies } = describeFacts(caches.sources, acks);
    expect(revision).toBeUndefined();
    expect(proxies).toEqual({ current: 1, refused: 0, behind: 1 });
    expect(objects.filter(({ count }) => count > 0)).toEqual([{ kind: 'LLMRoute', ready: 'Unknown', count: 1 }]);
    expect(objects).toHaveLength(9);
  });
});
