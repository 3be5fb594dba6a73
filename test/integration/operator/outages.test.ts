// What clients of the proxies notice of outages of the control plane: nothing. With `CHAOS_SCALE=1` the API server is gone
// for 10 minutes, and watches are cut for 5; for some seconds without.

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sized, timeoutMs } from '../../chaos/scale.ts';
import { type ControlPlane, startControlPlane } from '../../cluster/control-plane.ts';
import { crdManifests } from '../../cluster/crds.ts';
import { openFront } from '../../support/api-server-front.ts';
import { chat } from '../../support/chat.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { openTcpLine } from '../../support/tcp-line.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { startOperatorProcess } from './operator-process.ts';
import { ServedTeam } from './served-team.ts';
import { startTraffic } from './steady-traffic.ts';

const outageSeconds = sized({ usual: 10, full: 600 });
const cutSeconds = sized({ usual: 5, full: 300 });

const shared = await requiresControlPlane();

shared.describe('clients of the proxies', () => {
  let plane: ControlPlane;
  let one: ScriptedUpstream;
  let two: ScriptedUpstream;

  beforeAll(async () => {
    plane = await startControlPlane({ manifests: crdManifests() });
    [one, two] = [await startUpstream(chat('one')), await startUpstream(chat('two'))];
  });
  afterAll(async () => {
    await Promise.all([one.refuse(), two.refuse()]);
    await plane.stop();
  });

  async function losePlane({ annotate }: { readonly annotate: (message: string) => Promise<unknown> }): Promise<void> {
    using served = await ServedTeam.open(plane, one);
    await using operator = startOperatorProcess(served.installation);
    await served.mountPublished();
    const proxies = await Promise.all([served.startProxy(), served.startProxy()]);
    await using traffic = startTraffic(
      served.path,
      served.clientKey,
      proxies.map(({ url }) => url),
    );
    try {
      await delay(500);
      operator.signal('SIGKILL');
      await plane.killApiServer();
      const goneMs = performance.now();
      for (const [index, proxy] of proxies.entries()) {
        await delay(outageSeconds * 250);
        // As a rollout does: out of the endpoints first.
        traffic.endpoints.delete(proxy.url);
        await delay(200);
        proxy.program.process.kill('SIGTERM');
        expect(await proxy.program.ended).toBe(0);
        const next = await served.startProxy();
        proxies[index] = next;
        await eventually(() => next.ready());
        traffic.endpoints.add(next.url);
      }
      await delay(Math.max(0, outageSeconds * 1000 - (performance.now() - goneMs)));
      expect(traffic.answeredBy).toBe('one');
      await plane.restartApiServer();
      const backMs = performance.now();
      // It would run out after 15 s; that it does is tested elsewhere (leadership.test.ts).
      if (outageSeconds < 60) await dropLease(plane, served);
      await using _ = startOperatorProcess(served.installation);
      await served.turnTo(two);
      await eventually(() => traffic.answeredBy === 'two', 60_000);
      const followedSeconds = ((performance.now() - backMs) / 1000).toFixed(1);
      await delay(300);
      await traffic.stop();
      const { sent, failures } = traffic;
      expect(failures).toEqual([]);
      expect(sent).toBeGreaterThan(outageSeconds * 20);
      await annotate(
        `${sent} requests, ${failures.length} failed; API server gone for ${((backMs - goneMs) / 1000).toFixed()} s; a change was served ${followedSeconds} s after it was back`,
      );
    } finally {
      await traffic.stop();
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
    }
  }

  test.concurrent(
    'notice nothing while the operator is killed, the API server is gone, and proxies are restarted',
    { timeout: timeoutMs(700) },
    losePlane,
  );

  test.concurrent(
    'are served every change of a time in which all watches were cut',
    { timeout: timeoutMs(400) },
    async ({ annotate }) => {
      using served = await ServedTeam.open(shared.shared, one);
      const { installation, publication, team } = served;
      await using front = await openFront(shared.shared);
      await using line = await openTcpLine(shared.shared.port);
      await using operator = startOperatorProcess(installation, {
        kubeconfig: front.kubeconfig(installation.operatorKubeconfig),
      });
      await served.mountPublished();
      await using proxy = await served.startProxy(overLine(installation.proxyKubeconfig, line.port));
      await using traffic = startTraffic(served.path, served.clientKey, [proxy.url]);
      await eventually(() => front.watches > 8);

      line.cut();
      front.intercept = ({ isWatch }) => (isWatch ? { status: 503 } : undefined);
      front.cut();
      const cutMs = performance.now();
      for (let number = 0; performance.now() - cutMs < cutSeconds * 1000; number += 1) {
        const route = team.route(`new-${number % 20}`, ['own'], { path: `/${team.namespace}/${number}` });
        await team.apply(route);
        if (number % 3 === 2) await team.delete('LLMRoute', `new-${(number - 1) % 20}`);
        await delay(Math.min(500, cutSeconds * 10));
      }
      await served.turnTo(two);
      expect(traffic.answeredBy).toBe('one');
      front.intercept = () => undefined;
      line.heal();
      const healedMs = performance.now();
      const seconds = (): string => ((performance.now() - healedMs) / 1000).toFixed(1);

      const { items } = await shared.shared.request<{
        items: { metadata: { name: string }; spec: { path: string } }[];
      }>('GET', `/apis/sluice.dev/v1alpha1/namespaces/${team.namespace}/llmroutes`);
      const wanted = items.map(({ metadata, spec }) => `${team.namespace}/${metadata.name} ${spec.path}`).toSorted();
      const published = async (): Promise<readonly string[]> =>
        (await publication.config()).routes.map(({ id, path }) => `${id} ${path}`).toSorted();
      await eventually(async () => JSON.stringify(await published()) === JSON.stringify(wanted), 15_000);
      const publishedSeconds = seconds();
      await eventually(async () => (await proxy.config()).revision === (await publication.index()).revision, 35_000);
      await eventually(() => traffic.answeredBy === 'two');
      await annotate(`cut for ${cutSeconds} s: published after ${publishedSeconds} s, served after ${seconds()} s`);
      expect(operator.said('became the leader')).toBe(1);
      await traffic.stop();
      expect(traffic.failures).toEqual([]);
    },
  );
});

/** What an impatient person does to the lease of a dead operator. */
async function dropLease(plane: ControlPlane, { installation: { namespace, className } }: ServedTeam): Promise<void> {
  const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  await plane.request('DELETE', `${leases}/sluice-${className}-operator`);
}

/** A kubeconfig like the given one that leads over a line. */
function overLine(kubeconfig: string, port: number): string {
  const text = readFileSync(kubeconfig, 'utf8').replace(/https:\/\/127\.0\.0\.1:\d+/, `https://127.0.0.1:${port}`);
  writeFileSync(`${kubeconfig}.line`, text, { mode: 0o600 });
  return `${kubeconfig}.line`;
}
