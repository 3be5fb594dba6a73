// Which statuses are due, and that writing one makes it so no more.

import { beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../../operator/compile/compile.ts';
import type { KubeCall, KubeClient } from '../../../operator/kube/client.ts';
import { mergeDisabled } from '../../../operator/reconcile/disabled-targets.ts';
import { gatherWorld } from '../../../operator/reconcile/gather.ts';
import { Ledger } from '../../../operator/reconcile/ledger.ts';
import { Pools } from '../../../operator/reconcile/pools.ts';
import { createStatusReconciler, type StatusReconciler } from '../../../operator/reconcile/status.ts';
import type { ProxyReport } from '../../../operator/status/proxy-report.ts';
import type { Resource } from '../../../operator/watch/resource.ts';
import { createTurnedClock } from '../queue/turned-clock.ts';
import { type Caches, createCaches, type Written } from './caches.ts';

const provider: Written = {
  kind: 'LLMProvider',
  metadata: { name: 'one' },
  spec: { type: 'OpenAI', credentials: { type: 'None' } },
};

function report(revision: number): ProxyReport {
  return { proxy: 'a', revision, refusal: undefined, disabled: [] };
}

describe('the status of an object', () => {
  let caches: Caches;
  let ledger: Ledger;
  let reports: readonly ProxyReport[];
  let asked: boolean;
  let statuses: StatusReconciler;

  /** Stores what is applied, as the API server would. The watch is faster than the answer, which is old then. */
  const client = {
    call: ({ body }: KubeCall) => {
      const { metadata, status } = body as Written;
      const stored = { ...provider, metadata, status };
      caches.put(stored);
      return Promise.resolve({ ...stored, metadata: { ...metadata, resourceVersion: '1' } });
    },
  } as unknown as KubeClient;

  const one = (): Resource => {
    const resource = caches.sources.providers.get('team/one');
    if (resource === undefined) throw new Error('it is gone');
    return resource;
  };

  /** Compiles what there is, and says that it is published. */
  function record(): number {
    const { sources } = caches;
    const settings = { className: 'default', disableSecondsDefault: 600, now: 1000, published: undefined };
    const compiled = compile(gatherWorld(sources, { ...settings, lastRevision: 0 }));
    ledger.record([one()], compiled, { type: 'published', config: compiled.config });
    return compiled.config.revision;
  }

  beforeEach(() => {
    caches = createCaches();
    ledger = new Ledger();
    reports = [];
    asked = true;
    const clock = createTurnedClock();
    statuses = createStatusReconciler({
      sources: caches.sources,
      ledger,
      pools: new Pools(caches.sources.keys),
      reports: () => reports,
      disabled: () => mergeDisabled(reports),
      generationProblems: new Map(),
      now: () => '2026-06-01T00:00:00Z',
      acks: { asked: () => asked },
      client,
      events: { record: () => undefined },
      mayWrite: () => true,
      clock,
      publishedAgoMs: () => 10_000,
    });
    caches.put(provider);
  });

  it('is not due before the object has been compiled', () => {
    expect(statuses.isDue(one())).toBe(false);
  });

  it('is not due before proxies have been asked', () => {
    asked = false;
    reports = [report(record())];
    expect(statuses.isDue(one())).toBe(false);
  });

  it('is due until it is written, and again when proxies say something else', async () => {
    reports = [report(record())];
    expect(statuses.isDue(one())).toBe(true);
    await statuses.reconcile('LLMProvider team/one');
    expect(one().conditions.find(({ type }) => type === 'Ready')?.status).toBe('True');
    expect(statuses.isDue(one())).toBe(false);
    reports = [report(1)];
    expect(statuses.isDue(one())).toBe(true);
  });

  it('is due when somebody else has written to it', async () => {
    reports = [report(record())];
    await statuses.reconcile('LLMProvider team/one');
    caches.put({ ...provider, status: { conditions: [] } });
    expect(statuses.isDue(one())).toBe(true);
  });
});
