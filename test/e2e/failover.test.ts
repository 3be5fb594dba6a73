// An upstream that dies: nobody notices but those who look.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Application, startApplication } from './application.ts';
import { requiresCluster } from './cluster.ts';
import { disabledBackends } from './proxies.ts';
import { install, type Release, until } from './release.ts';

const { cluster, describe } = await requiresCluster();

describe('an upstream that is killed', () => {
  let release: Release;
  let application: Application;

  beforeAll(async () => {
    release = await install(cluster, { values: { proxy: { replicas: 3 } } });
    application = await startApplication(release);
  });
  afterAll(() => release?.remove());

  test('is left out by every proxy, and no request fails', async () => {
    const { failed, truncated, requests, backends, failures } = await application.during(
      { workers: 4, pauseMs: 20 },
      async () => {
        await release.kubectl(['scale', 'deployment/one', '--replicas=0']);
        await until('every proxy has disabled it', async () => {
          const disabled = await disabledBackends(release);
          return disabled.length === 3 && disabled.every((names) => names.length === 1 && names[0] === 'one');
        });
      },
    );
    expect({ failed, truncated, failures }).toEqual({ failed: 0, truncated: 0, failures: [] });
    expect(requests).toBeGreaterThan(20);
    expect(Object.keys(backends).toSorted()).toEqual(['one', 'two']);
    expect(await application.ask()).toMatchObject({ status: 200, text: 'two-0 two-1 two-2 ' });
  });

  test('is known to proxies that start later, from Redis', async () => {
    await release.kubectl(['scale', 'deployment/sluice-proxy', '--replicas=4']);
    await release.kubectl(['rollout', 'status', 'deployment/sluice-proxy', '--timeout=90s']);
    expect(await disabledBackends(release)).toEqual([['one'], ['one'], ['one'], ['one']]);
  });

  test('is seen in the status of its route', async () => {
    await until('the status says so', async () =>
      (await release.kubectl(['get', 'llmr', 'chat', '-o', 'json'])).includes('"name": "one"'),
    );
  });
});
