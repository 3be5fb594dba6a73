// What people change while applications go on: keys, routes, who may ask what.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { allReady, apply, type Application, chatRoute, clientKey, resource, startApplication } from './application.ts';
import { requiresCluster } from './cluster.ts';
import { askProxy } from './proxies.ts';
import { install, type Release, until } from './release.ts';

const { cluster, describe } = await requiresCluster();

describe('under load', () => {
  let release: Release;
  let application: Application;

  beforeAll(async () => {
    release = await install(cluster);
    application = await startApplication(release);
  });
  afterAll(() => release?.remove());

  async function revisions(): Promise<readonly number[]> {
    const pods = await release.pods('proxy');
    const asked = pods.map((pod) => askProxy<{ readonly revision: number }>(release, pod, '/config'));
    return (await Promise.all(asked)).map(({ revision }) => revision);
  }

  test('a key is renewed on request, and the one before goes on working for a while', async () => {
    const before = await application.key();
    const { failed, truncated, failures } = await application.during({ workers: 2, pauseMs: 50 }, async () => {
      await apply(release, [clientKey(release, { 'sluice.dev/rotate': 'now' })]);
      await until('there is another key', async () => (await application.key()) !== before);
      await until('the new key is let in', async () => {
        const { status } = await application.ask({ key: await application.key() });
        return status === 200;
      });
    });
    expect({ failed, truncated, failures }).toEqual({ failed: 0, truncated: 0, failures: [] });
    expect(await application.key('previous')).toBe(before);
    expect(await application.ask({ key: before })).toMatchObject({ status: 200 });
  });

  test('the configuration changes many times, and no request fails', async () => {
    const [first = 0] = await revisions();
    const { failed, truncated, failures, requests } = await application.during(
      { workers: 4, pauseMs: 20 },
      async () => {
        for (let change = 1; change <= 10; change++) {
          await apply(release, [
            chatRoute(release, 600 + change),
            resource(release, 'LLMRoute', `extra-${change}`, {
              models: [{ name: `extra-${change}` }],
              rules: [{ name: 'default', backends: [{ name: 'two', providerRef: { name: 'two' }, model: 'of-two' }] }],
            }),
          ]);
        }
        await allReady(release);
      },
    );
    expect({ failed, truncated, failures }).toEqual({ failed: 0, truncated: 0, failures: [] });
    expect(requests).toBeGreaterThan(20);
    const after = await revisions();
    expect(new Set(after).size).toBe(1);
    expect(after[0]).toBeGreaterThan(first);
  });

  test('a route that is wrong says so, and the others go on', async () => {
    const wrong = resource(release, 'LLMRoute', 'wrong', {
      models: [{ name: 'wrong' }],
      rules: [{ name: 'default', backends: [{ name: 'none', providerRef: { name: 'nobody' }, model: 'of-nobody' }] }],
    });
    await apply(release, [wrong]);
    await release.kubectl(['wait', '--for=condition=Ready=false', 'llmr/wrong', '--timeout=30s']);
    expect(await application.ask()).toMatchObject({ status: 200 });
    await release.kubectl(['delete', 'llmr', 'wrong']);
  });

  test('a client key that is deleted is refused', async () => {
    const key = await application.key();
    await release.kubectl(['delete', 'llmk', 'application']);
    await until('it is refused', async () => (await application.ask({ key })).status === 401, 30_000);
  });
});
