import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LLMKey } from '../../../crds/llm-key.ts';
import {
  createKeyReconciler,
  type KeyReconcilerOptions,
  type StoredSecret,
} from '../../../operator/keys/key-reconciler.ts';
import type { KubeObject } from '../../../operator/kube/object.ts';
import type { LogFields } from '../../../operator/log.ts';
import { projectSecret } from '../../../operator/watch/projections.ts';
import { generatedKey, hour, type KeyChanges, now, time } from './generated-key.ts';
import { SecretsApi } from './secrets-api.ts';

const id = 'team/shop';

/** An operator with one key, whose cache of Secrets shows what a test lets it see. */
class Scene {
  readonly api = new SecretsApi();
  readonly problems = new Map<string, string>();
  readonly lines: string[] = [];
  /** Whether the watch has brought everything that was written. */
  watching = true;
  learned: StoredSecret | undefined;
  leads = true;
  nowMs = now;
  key: LLMKey | undefined = generatedKey();
  readonly options: KeyReconcilerOptions = {
    client: this.api,
    getKey: (asked) => (asked === id ? this.key : undefined),
    getSecret: (asked) => this.#cached(asked),
    readSecret: projectSecret,
    learn: (object) => void (this.learned = projectSecret(object)),
    mayWrite: () => this.leads,
    clock: { now: () => this.nowMs },
    randomBytes,
    problems: {
      set: (key, message) => void (message === undefined ? this.problems.delete(key) : this.problems.set(key, message)),
    },
    log: {
      debug: this.#line.bind(this),
      info: this.#line.bind(this),
      warn: this.#line.bind(this),
      error: this.#line.bind(this),
    },
  };
  readonly reconcile = createKeyReconciler(this.options);

  #line(fields: LogFields, message: string): void {
    this.lines.push(JSON.stringify([fields, message]));
  }

  /** The cache follows only Secrets with the label. */
  #cached(asked: string): StoredSecret | undefined {
    const stored = this.watching && this.secret !== undefined ? projectSecret(this.secret) : undefined;
    return asked === 'team/shop-key' && stored?.labels['sluice.dev/credential'] === 'true' ? stored : undefined;
  }

  get secret(): KubeObject | undefined {
    return this.api.secrets.get('shop-key');
  }

  get facts(): StoredSecret {
    if (this.secret === undefined) throw new Error('there is no Secret');
    return projectSecret(this.secret);
  }

  /** Sets the key, and lets some time pass. */
  async later(byMs: number, changes: KeyChanges = {}) {
    this.nowMs += byMs;
    this.key = generatedKey(changes);
    return this.reconcile(id);
  }

  writes(): string[] {
    return this.api.calls.filter(({ method }) => method !== 'GET').map(({ method }) => method);
  }
}

let scene: Scene;
beforeEach(() => {
  scene = new Scene();
});

/** A Secret that somebody made. */
function made(changes: Partial<KubeObject['metadata']>, data: Readonly<Record<string, string>> = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'shop-key', namespace: 'team', ...changes },
    data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, btoa(value)])),
  };
}

const owned = {
  ownerReferences: [{ apiVersion: 'sluice.dev/v1alpha1', kind: 'LLMKey', name: 'shop', uid: 'uid-shop' }],
};
const labelled = { labels: { 'sluice.dev/credential': 'true' } };

describe('a generated key', () => {
  it('gets a Secret of its own, labelled, with the time of making', async () => {
    scene.key = generatedKey({ prefix: 'acme', annotations: { 'sluice.dev/rotate': 'first' } });
    expect(await scene.reconcile(id)).toEqual({});
    expect(scene.secret).toMatchObject({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        name: 'shop-key',
        namespace: 'team',
        labels: { 'sluice.dev/credential': 'true', 'app.kubernetes.io/managed-by': 'sluice' },
        annotations: { 'sluice.dev/made-at': time(0), 'sluice.dev/rotate': 'first' },
        ownerReferences: [
          {
            apiVersion: 'sluice.dev/v1alpha1',
            kind: 'LLMKey',
            name: 'shop',
            uid: 'uid-shop',
            controller: true,
            blockOwnerDeletion: false,
          },
        ],
      },
    });
    expect(scene.facts.data).toEqual({ key: expect.stringMatching(/^acme-[A-Za-z0-9_-]{43}$/) });
    expect(scene.learned).toEqual(scene.facts);
  });

  it('is not touched again once it is there', async () => {
    await scene.reconcile(id);
    expect(await scene.reconcile(id)).toEqual({});
    expect(scene.writes()).toEqual(['POST']);
  });

  it('is made once although the cache is late', async () => {
    await scene.reconcile(id);
    const { facts } = scene;
    scene.watching = false;
    expect(await scene.reconcile(id)).toEqual({});
    expect(scene.facts).toEqual(facts);
    expect(scene.problems.size).toBe(0);
  });

  it('is made anew after somebody deleted its Secret', async () => {
    await scene.reconcile(id);
    const { key: before } = scene.facts.data;
    scene.api.secrets.clear();
    await scene.reconcile(id);
    expect(scene.facts.data['key']).not.toBe(before);
  });

  it.each([
    ['that is being deleted', { deletionTimestamp: time(0) }],
    ['without a uid', { uid: undefined }],
  ])('%s is left alone', async (_what, changes) => {
    expect(await scene.later(0, changes)).toEqual({});
    expect(scene.api.calls).toEqual([]);
  });

  it('that is gone is forgotten, with its problem', async () => {
    scene.problems.set(id, 'something');
    scene.key = undefined;
    expect(await scene.reconcile(id)).toEqual({});
    expect([scene.api.calls, scene.problems.size]).toEqual([[], 0]);
  });
});

describe('a Secret that was there before', () => {
  const others = { ownerReferences: [{ ...owned.ownerReferences[0], uid: 'uid-other' }] } as typeof owned;

  it.each([
    ['and is nobody’s', labelled],
    ['and is another’s', { ...labelled, ...others }],
    ['without the label', {}],
  ])('%s is never overwritten, and said to be in the way', async (_what, changes) => {
    const before = scene.api.put(made(changes, { key: 'CANARY-foreign' }));
    expect(await scene.reconcile(id)).toEqual({ requeueAfterMs: 60_000 });
    expect(scene.secret).toEqual(before);
    expect(scene.problems.get(id)).toMatch(/^a Secret "shop-key" exists in the namespace and was not made for this/);
  });

  it('makes room when it goes', async () => {
    scene.api.put(made(labelled));
    await scene.reconcile(id);
    scene.api.secrets.clear();
    await scene.reconcile(id);
    expect(scene.problems.size).toBe(0);
    expect(scene.facts.ownerUIDs).toEqual(['uid-shop']);
  });

  it('is found again where its label was taken away', async () => {
    await scene.reconcile(id);
    const { data, annotations } = scene.facts;
    scene.api.put({ ...(scene.secret as KubeObject), metadata: { ...made(owned).metadata, annotations } });
    await scene.reconcile(id);
    expect(scene.facts).toMatchObject({ ...labelled, annotations, data });
  });

  it('with a time of making that is none is given one, and then renewed in due time', async () => {
    const rotation = { periodSeconds: 7200 };
    scene.api.put(made({ ...labelled, ...owned, annotations: { 'sluice.dev/made-at': 'x' } }, { key: 'CANARY' }));
    expect(await scene.later(0, { rotation })).toEqual({ requeueAfterMs: hour });
    expect(scene.facts).toMatchObject({ annotations: { 'sluice.dev/made-at': time(0) }, data: { key: 'CANARY' } });
    await scene.later(2 * hour, { rotation });
    expect(scene.facts.data['key']).not.toBe('CANARY');
  });
});

describe('a renewal', () => {
  const rotation = { periodSeconds: 7200, overlapSeconds: 1800 };

  it('comes with the period; the key before works for the overlap, and is then taken away', async () => {
    expect(await scene.later(0, { rotation })).toEqual({ requeueAfterMs: hour });
    const { key: first } = scene.facts.data;
    expect(await scene.later(2 * hour, { rotation })).toEqual({ requeueAfterMs: hour / 2 });
    const { key: second } = scene.facts.data;
    expect(second).not.toBe(first);
    expect(scene.facts).toMatchObject({
      data: { previous: first },
      annotations: { 'sluice.dev/made-at': time(2 * hour), 'sluice.dev/previous-until': time(2.5 * hour) },
    });
    expect(await scene.later(hour / 2, { rotation })).toEqual({ requeueAfterMs: hour });
    expect(scene.facts.data).toEqual({ key: second });
    expect(scene.facts.annotations).toEqual({ 'sluice.dev/made-at': time(2 * hour) });
  });

  it('comes once for each value of the annotation', async () => {
    await scene.reconcile(id);
    const keys = new Set([scene.facts.data['key']]);
    for (const value of ['1', '1', '2', '2']) {
      await scene.later(1, { annotations: { 'sluice.dev/rotate': value } });
      keys.add(scene.facts.data['key']);
    }
    await scene.later(1);
    expect(keys.size).toBe(3);
    expect(scene.facts).toMatchObject({ annotations: { 'sluice.dev/rotate': '2' } });
    expect(scene.facts.data).toEqual({ key: [...keys].at(-1) });
    expect(scene.writes()).toEqual(['POST', 'PATCH', 'PATCH']);
  });

  it('is refused where the Secret has changed since it was looked at, and tried again', async () => {
    await scene.later(0, { rotation });
    scene.nowMs += 2 * hour;
    const stale = scene.facts;
    scene.api.put(scene.secret as KubeObject);
    const reconcile = createKeyReconciler({ ...scene.options, getSecret: () => stale });
    await expect(reconcile(id)).rejects.toMatchObject({ reason: 'Conflict' });
    expect(scene.facts.data).toEqual(stale.data);
  });

  it('does not come twice when the cache is late', async () => {
    await scene.later(0, { rotation });
    const stale = scene.facts;
    await scene.later(2 * hour, { rotation });
    const { data } = scene.facts;
    const reconcile = createKeyReconciler({ ...scene.options, getSecret: () => stale });
    await expect(reconcile(id)).rejects.toMatchObject({ reason: 'Conflict' });
    expect(scene.facts.data).toEqual(data);
  });
});

describe('a replica that does not lead', () => {
  it('writes nothing, and looks again soon where something is to be done', async () => {
    scene.leads = false;
    expect(await scene.reconcile(id)).toEqual({ requeueAfterMs: 15_000 });
    scene.leads = true;
    await scene.reconcile(id);
    scene.leads = false;
    expect(await scene.reconcile(id)).toEqual({});
    expect(scene.writes()).toEqual(['POST']);
  });
});

describe('a refused write', () => {
  it.each([
    [403, 'Forbidden'],
    [422, 'Invalid'],
  ])('with %i %s is said in the status, in words of our own, until it succeeds', async (status, reason) => {
    scene.api.refusal = { status, reason };
    await expect(scene.reconcile(id)).rejects.toMatchObject({ reason });
    expect(scene.problems.get(id)).toBe(
      `the Secret "shop-key" cannot be made or renewed: the API server answers ${status} ${reason}`,
    );
    await scene.reconcile(id);
    expect(scene.problems.size).toBe(0);
  });

  it.each([
    [500, 'InternalError'],
    [429, 'TooManyRequests'],
  ])('with %i %s is only tried again', async (status, reason) => {
    scene.api.refusal = { status, reason };
    await expect(scene.reconcile(id)).rejects.toMatchObject({ reason });
    expect(scene.problems.size).toBe(0);
  });

  it('has no key in its error', async () => {
    scene.api.refusal = { status: 422, reason: 'Invalid' };
    const error: unknown = await scene.reconcile(id).catch((thrown: unknown) => thrown);
    const { body } = scene.api.calls[0] as { readonly body?: { readonly data?: { readonly key?: string } } };
    expect(body?.data?.key).toBeDefined();
    expect(String(error) + JSON.stringify(error)).not.toContain(body?.data?.key);
  });
});

it('a key is never in a log or a problem', async () => {
  const rotation = { periodSeconds: 3600, overlapSeconds: 60 };
  const seen = new Set<string>();
  for (let turn = 0; turn < 4; turn += 1) {
    await scene.later(hour, { rotation });
    for (const value of Object.values(scene.facts.data)) seen.add(value).add(btoa(value));
  }
  scene.api.put(made(labelled, { key: 'CANARY-foreign' }));
  await scene.later(1, { rotation });
  expect(seen.size).toBe(8);
  const said = [...scene.lines, ...scene.problems.values()].join('\n');
  expect(scene.lines.length).toBe(4);
  for (const value of [...seen, 'CANARY-foreign']) expect(said).not.toContain(value);
});
