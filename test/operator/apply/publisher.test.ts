// What is written, in which order, and when nothing is.

import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { NotLeading, Publisher } from '../../../operator/apply/publisher.ts';
import { readCredentials, readIndex, readParts } from '../../../operator/apply/read-back.ts';
import type { KubeCall, KubeClient } from '../../../operator/kube/client.ts';
import { outputNamesOf, projectOutput } from '../../../operator/watch/output.ts';
import { credentialsName } from '../../../proxy/config/schema.ts';
import { type ConfigPair, configOf, provider, upstreamKey } from '../../support/config.ts';
import { TurnedClock } from '../queue/turned-clock.ts';
import { type HeldObject, ObjectsApi } from './objects-api.ts';

const names = outputNamesOf('blue');
const index = 'configmaps/sluice-blue';
const secret = 'secrets/sluice-blue-credentials';

/** A configuration whose only key has this secret. */
function pairWith(value: string, models: readonly string[] = []): ConfigPair {
  const named = models.map((name) => ({ name, upstreamName: name }));
  return configOf({
    providers: [provider('one', 'https://one.example', { models: named })],
    routes: [],
    upstreamKeys: [upstreamKey('key', 'one', value)],
  });
}

/** So much that no compression brings it below some parts. */
function largePair(parts: number): ConfigPair {
  const models = Array.from({ length: parts * 7 - 3 }, () => randomBytes(70_000).toString('base64'));
  return pairWith('secret', models);
}

describe('the publisher', () => {
  let api: ObjectsApi;
  let clock: TurnedClock;
  let leads: boolean;
  let publisher: Publisher;

  function createPublisher(client = api as unknown as KubeClient): Publisher {
    return new Publisher({
      client,
      namespace: 'gateways',
      names,
      outputs: api.outputs,
      publishedCredentials: api.secrets,
      mayWrite: () => leads,
      monotonic: () => clock.monotonic(),
    });
  }

  beforeEach(() => {
    api = new ObjectsApi();
    clock = new TurnedClock();
    leads = true;
    publisher = createPublisher();
  });

  async function publish({ config, credentials }: ConfigPair, served = 0) {
    api.asked.length = 0;
    return publisher.publish(config, credentials, served);
  }

  /** Names of the credentials that lie in the Secret. */
  function credentialsHeld(): readonly string[] {
    return Object.keys(api.get(secret)?.data ?? {});
  }

  it('writes the Secret before the index, and shards between them', async () => {
    await publish(pairWith('a'));
    expect(api.asked).toEqual([`PATCH ${secret}`, `PATCH ${index}`]);
    await publish(largePair(3));
    expect(api.asked).toEqual([`PATCH ${secret}`, `PATCH ${index}-0`, `PATCH ${index}-1`, `PATCH ${index}`]);
  });

  it('writes nothing twice, and keeps the revision of what is there already', async () => {
    const pair = pairWith('a');
    await publish(pair);
    const later = { ...pair, config: { ...pair.config, revision: pair.config.revision + 5 } };
    const outcome = await publish(later);
    expect(outcome).toMatchObject({ type: 'published', config: { revision: pair.config.revision } });
    expect(api.asked).toEqual([]);
  });

  it('goes on from what another process has published', async () => {
    const pair = pairWith('a');
    await publish(pair);
    publisher = createPublisher();
    const outcome = await publish({ ...pair, config: { ...pair.config, revision: pair.config.revision + 5 } });
    expect(outcome).toMatchObject({ config: { revision: pair.config.revision } });
    expect(api.asked).toEqual([]);
  });

  it('gives the same configuration a new revision where a proxy serves a later one', async () => {
    const pair = pairWith('a');
    await publish(pair);
    const later = { ...pair, config: { ...pair.config, revision: pair.config.revision + 5 } };
    const outcome = await publish(later, pair.config.revision + 4);
    expect(outcome).toMatchObject({ config: { revision: pair.config.revision + 5 } });
  });

  it('keeps the credentials before these for five minutes', async () => {
    const [first, second] = [pairWith('a'), pairWith('b')];
    await publish(first);
    const outcome = await publish(second);
    expect(credentialsHeld()).toEqual([second, first].map(({ credentials }) => credentialsName(credentials.digest)));
    expect(outcome).toMatchObject({ requeueAfterMs: 300_000 });
    clock.turn(299_999);
    expect(await publish(second)).toMatchObject({ requeueAfterMs: 1 });
    clock.turn(1);
    expect(await publish(second)).toMatchObject({ requeueAfterMs: undefined });
    expect(credentialsHeld()).toEqual([credentialsName(second.credentials.digest)]);
  });

  it('keeps those in force when new ones come in the moment in which the ones before end', async () => {
    const [first, second, third] = [pairWith('a'), pairWith('b'), pairWith('c')];
    await publish(first);
    await publish(second);
    clock.turn(300_000);
    api.refuses = (request) => (request === `PATCH ${index}` ? { status: 500, reason: 'InternalError' } : undefined);
    await expect(publish(third)).rejects.toThrow('500');
    // The index that is there must find its own.
    const { credentialsDigest } = readIndex(names, publisher.objects)!;
    expect(readCredentials(credentialsDigest, publisher.objects)).toEqual(second.credentials);
    api.refuses = () => undefined;
    expect(await publish(third)).toMatchObject({ requeueAfterMs: 300_000 });
    expect(credentialsHeld()).toHaveLength(2);
  });

  it('drops what was kept also after it was started anew, if later', async () => {
    const second = pairWith('b');
    await publish(pairWith('a'));
    await publish(second);
    publisher = createPublisher();
    expect(await publish(second)).toMatchObject({ requeueAfterMs: 300_000 });
    clock.turn(300_000);
    await publish(second);
    expect(credentialsHeld()).toHaveLength(1);
  });

  it('takes nothing of others in the Secret for credentials of its own', async () => {
    const pair = pairWith('a');
    await publish(pair);
    api.edit(secret, (object) => ({ ...object, data: { 'aaa.txt': 'c2VjcmV0', ...object.data } }));
    expect(await publish(pair)).toMatchObject({ requeueAfterMs: undefined });
    expect(api.asked).toEqual([]);
  });

  it('prunes shards that nothing is in any more, and only those', async () => {
    await publish(largePair(3));
    await publish(largePair(2));
    await publisher.prune();
    expect([0, 1].map((shard) => api.get(`${index}-${shard}`) !== undefined)).toEqual([true, false]);
    await publish(pairWith('a'));
    await publisher.prune();
    expect(api.asked).toEqual([`PATCH ${secret}`, `PATCH ${index}`, `DELETE ${index}-0`, `DELETE ${index}-1`]);
    expect(Object.keys(api.get(index)?.data ?? {})).toEqual(['index.json', 'config.json']);
  });

  it('prunes nothing before anything is published', async () => {
    await publish(largePair(2));
    publisher = createPublisher();
    await publisher.prune();
    expect(api.get(`${index}-0`)).toBeDefined();
  });

  it('repairs what others have changed, and nothing else', async () => {
    const pair = largePair(2);
    await publish(pair);
    const changes: readonly (readonly [string, Parameters<ObjectsApi['edit']>[1], readonly string[]])[] = [
      [`${index}-0`, (object) => ({ ...object, binaryData: {} }), [`PATCH ${index}-0`]],
      [`${index}-0`, () => undefined, [`PATCH ${index}-0`]],
      [index, (object) => ({ ...object, binaryData: {} }), [`PATCH ${index}`]],
      [secret, (object) => ({ ...object, data: {} }), [`PATCH ${secret}`]],
      [secret, () => undefined, [`PATCH ${secret}`]],
      [index, (object) => ({ ...object, metadata: { ...object.metadata, labels: {} } }), [`PATCH ${index}`]],
    ];
    for (const [name, change, written] of changes) {
      api.edit(name, change);
      const outcome = await publish(pair);
      expect(api.asked).toEqual(written);
      expect(outcome).toMatchObject({ config: { revision: pair.config.revision } });
      const parts = readParts(names, publisher.objects, readIndex(names, publisher.objects)!);
      expect(parts).toBeDefined();
    }
  });

  it('gives a new revision where the index is gone or cannot be read', async () => {
    const pair = pairWith('a');
    await publish(pair);
    for (const change of [() => undefined, (object: object) => ({ ...object, data: { 'index.json': '{' } })]) {
      api.edit(index, change as Parameters<ObjectsApi['edit']>[1]);
      const revision = pair.config.revision + 1;
      expect(await publish({ ...pair, config: { ...pair.config, revision } })).toMatchObject({ config: { revision } });
      expect(api.asked).toEqual([`PATCH ${index}`]);
    }
  });

  it('does not write over what it has not seen', async () => {
    await publish(pairWith('a'));
    api.watches = false;
    api.edit(index, (object) => ({ ...object, data: { mine: 'all mine' } }));
    await expect(publish(pairWith('b'))).rejects.toMatchObject({ reason: 'Conflict' });
    expect(api.get(index)?.data).toEqual({ mine: 'all mine' });
  });

  it('knows its own writes when the watch brings them', async () => {
    await publish(pairWith('a'));
    const held = publisher.objects.configMap('sluice-blue')!;
    expect(publisher.isOwn(held)).toBe(true);
    expect(publisher.isOwn({ ...held, resourceVersion: '7' })).toBe(false);
  });

  it('knows its own writes also when the watch is faster than the answer', async () => {
    const judged: boolean[] = [];
    const call = async (asked: KubeCall): Promise<unknown> => {
      const answer = await api.call<HeldObject>(asked);
      judged.push(publisher.isOwn(projectOutput(answer)));
      judged.push(publisher.isOwn(projectOutput({ ...answer, data: { mine: 'all mine' } })));
      return answer;
    };
    publisher = createPublisher({ call } as KubeClient);
    await publish(pairWith('a'));
    expect(judged).toEqual([true, false, true, false]);
  });

  it('writes nothing while another replica leads', async () => {
    leads = false;
    await expect(publish(pairWith('a'))).rejects.toThrow(NotLeading);
    expect(api.asked).toEqual([]);
  });

  it('says that a configuration is too large, and leaves what is published alone', async () => {
    await publish(pairWith('a'));
    expect(await publish(largePair(10))).toMatchObject({ type: 'too-large' });
    expect(api.asked).toEqual([]);
    const huge = pairWith(randomBytes(1_100_000).toString('base64'));
    expect(await publish(huge)).toMatchObject({ type: 'too-large' });
    expect(api.asked).toEqual([]);
  });
});
