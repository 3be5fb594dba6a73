// Everything of a release goes down and comes back, one after another, while applications have streams open.

import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  allReady,
  apply,
  type Application,
  chatRoute,
  type Load,
  type LoadOutcome,
  startApplication,
} from './application.ts';
import { requiresCluster } from './cluster.ts';
import { killProgram } from './kill.ts';
import { proxyStates } from './proxies.ts';
import { install, type Release, until } from './release.ts';

const { cluster, describe } = await requiresCluster();

/** Streams of six seconds, one after another in each of the workers: at any moment all of them are open. */
const streams: Load = { workers: 50, stream: true, content: '{"pieces":20,"everyMs":300}', lastPiece: 'one-19' };
const nothingLost = { failed: 0, truncated: 0, failures: [] };

describe('with 50 streams open', () => {
  let release: Release;
  let application: Application;

  beforeAll(async () => {
    release = await install(cluster);
    application = await startApplication(release);
  });
  afterAll(() => release?.remove());

  async function rollOut(name: string): Promise<void> {
    await release.kubectl(['rollout', 'restart', `deployment/${name}`]);
    await release.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=150s']);
  }

  test('proxies are rolled out anew, and no stream fails or ends early', async () => {
    const before = await release.pods('proxy');
    const { failed, truncated, failures, requests } = await application.during(streams, async () => {
      await rollOut('sluice-proxy');
      await until('the old ones have ended', async () => {
        const pods = await release.kubectl(['get', 'pods', '-o', 'name']);
        return before.every((name) => !pods.includes(name));
      });
    });
    expect({ failed, truncated, failures }).toEqual(nothingLost);
    expect(requests).toBeGreaterThanOrEqual(50);
  });

  test('operators are rolled out anew, and then killed, and changes still arrive', async () => {
    const { failed, truncated, failures } = await application.during(streams, async () => {
      await rollOut('sluice-operator');
      const selector = '--selector=app.kubernetes.io/component=operator';
      await release.kubectl(['delete', 'pods', selector, '--grace-period=0', '--force']);
      await apply(release, [chatRoute(release, 777)]);
      await release.kubectl(['rollout', 'status', 'deployment/sluice-operator', '--timeout=90s']);
      await until('the change is in force', async () => {
        await allReady(release);
        const route = await release.kubectl(['get', 'llmr', 'chat', '-o', 'json']);
        const { metadata, status } = JSON.parse(route) as {
          readonly metadata: { readonly generation: number };
          readonly status: { readonly conditions: readonly { readonly observedGeneration: number }[] };
        };
        return status.conditions.every(({ observedGeneration }) => observedGeneration === metadata.generation);
      });
    });
    expect({ failed, truncated, failures }).toEqual(nothingLost);
  });

  test('Redis is deleted, and comes back', async () => {
    const { failed, truncated, failures } = await application.during(streams, async () => {
      const [redis = ''] = await release.pods('redis');
      await release.kubectl(['delete', 'pod', redis, '--grace-period=0', '--force']);
      await release.kubectl(['rollout', 'status', 'deployment/sluice-redis', '--timeout=90s']);
      await until('the proxies use it again', async () => {
        const states = await proxyStates(release);
        return states.every(({ store }) => store.kind === 'redis' && store.state === 'ok');
      });
    });
    expect({ failed, truncated, failures }).toEqual(nothingLost);
  });

  test('a proxy is killed: its own streams say so, and clients that try again lose no request', async () => {
    const [victim = ''] = await release.pods('proxy');
    let open: Promise<LoadOutcome> | undefined;
    const { failed, truncated, failures } = await application.during(
      { workers: 8, pauseMs: 20, maxRetries: 4 },
      async () => {
        open = application.during(streams, () => killProgram(release, victim));
        await open;
        await until('it runs again', async () => (await release.kubectl(restartsOf(victim))) === '1 true');
      },
    );
    expect({ failed, truncated, failures }).toEqual(nothingLost);
    const broken = await open;
    expect(broken?.failed).toBeGreaterThan(0);
    expect(broken?.truncated, JSON.stringify(broken)).toBe(0);
  });
});

function restartsOf(pod: string): readonly string[] {
  const status = '.status.containerStatuses[0]';
  return ['get', 'pod', pod, '-o', `jsonpath={${status}.restartCount} {${status}.ready}`];
}
