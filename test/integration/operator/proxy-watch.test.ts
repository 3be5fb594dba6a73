// A proxy that watches its configuration at a real API server, as a ServiceAccount that may do that and nothing else.

import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { chat } from '../../support/chat.ts';
import { type ConfigDraft, configOf } from '../../support/config.ts';
import { requiresControlPlane, requiresControlPlanePrograms } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { ClusterPublication, proxyAccess, proxyAccount } from '../proxy/cluster-publication.ts';
import { answerOf, draftTo as draftWithKey, largeDraftTo } from '../proxy/drafts.ts';
import { makeMount, type Mount, publish } from '../proxy/mount.ts';
import { loopback, type ProxyProcess, startProxyProcess } from '../proxy/proxy-process.ts';

const plane = await requiresControlPlane();
const programs = requiresControlPlanePrograms();

let one: ScriptedUpstream;
let two: ScriptedUpstream;

beforeAll(async () => {
  one = await startUpstream(chat('one'));
  two = await startUpstream(chat('two'));
});
afterAll(async () => {
  await Promise.all([one.refuse(), two.refuse()]);
});

/** One route, `chat`, to one upstream, whose key is of its own. */
function draftTo(upstream: ScriptedUpstream): ConfigDraft {
  return draftWithKey(upstream, `secret-${upstream === one ? 'one' : 'two'}`);
}

function startWatching(
  published: ClusterPublication,
  kubeconfig: string,
  { mount, args = [] }: { readonly mount?: Mount; readonly args?: readonly string[] } = {},
): Promise<ProxyProcess> {
  const watch = ['--watch', published.target, '--kubeconfig', kubeconfig];
  return startProxyProcess(mount, { args: [...watch, ...loopback, ...args] });
}

/** How often the log says this. */
function saidBy({ program }: ProxyProcess, message: string): number {
  return program.out().split(`"msg":"${message}`).length - 1;
}

const cannotWatch = 'cannot watch; the last good configuration goes on';

plane.describe('a proxy that watches', () => {
  let published: ClusterPublication;
  let kubeconfig: string;

  beforeEach(async () => {
    const namespace = await plane.shared.newNamespace();
    published = new ClusterPublication(plane.shared, namespace);
    for (const object of proxyAccess(namespace)) await plane.shared.apply(object);
    kubeconfig = await plane.shared.kubeconfigFor(namespace, proxyAccount, { tokenFile: true });
  });

  it('serves what is published, and each change within a second', { timeout: 120_000 }, async ({ annotate }) => {
    await using proxy = await startWatching(published, kubeconfig);
    expect(await proxy.ready()).toBe(false);
    const waitsMs: number[] = [];
    for (let turn = 0; turn < 200; turn += 1) {
      const pair = configOf(draftTo(turn % 2 === 0 ? one : two));
      const writtenMs = await published.publish(pair);
      await eventually(async () => (await proxy.config()).revision === pair.config.revision);
      waitsMs.push(performance.now() - writtenMs);
      if (turn % 50 === 49) expect(await answerOf(proxy)).toBe('two');
    }
    const sorted = waitsMs.slice(1).toSorted((a, b) => a - b);
    const [median, last, most] = [0.5, 0.99, 1].map((share) => sorted[Math.ceil(share * sorted.length) - 1]!);
    await annotate(`from the write of the index to its use: p50 ${median!.toFixed()} ms, p99 ${last!.toFixed()} ms`);
    expect(most).toBeLessThan(1_000);
    expect(saidBy(proxy, cannotWatch)).toBe(0);
  });

  it('never serves a mixed pair, however often it changes under load', { timeout: 60_000 }, async () => {
    await published.publish(configOf(draftTo(one)));
    await using proxy = await startWatching(published, kubeconfig);
    await eventually(() => proxy.ready());
    const before = { one: one.requests.length, two: two.requests.length };
    let stopped = false;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!stopped) expect(await answerOf(proxy)).toMatch(/^(one|two)$/);
      }),
    );
    try {
      for (let turn = 0; turn < 60; turn += 1) await published.publish(configOf(draftTo(turn % 2 === 0 ? two : one)));
      await eventually(async () => (await answerOf(proxy)) === 'one');
    } finally {
      stopped = true;
      await load;
    }
    for (const [name, { requests }] of Object.entries({ one, two })) {
      const seen = requests.slice(before[name as 'one' | 'two']).map(({ headers }) => headers['authorization']);
      expect(new Set(seen)).toEqual(new Set([`Bearer secret-${name}`]));
    }
    expect((await proxy.config()).lastRefusal).toBeUndefined();
  });

  it('puts a large configuration together from its shards', async () => {
    const [first, second] = [configOf(largeDraftTo(one, 6000)), configOf(largeDraftTo(two, 6000))];
    await published.publish(first);
    await using proxy = await startWatching(published, kubeconfig);
    await proxy.serves(first.config.revision);
    expect(await answerOf(proxy)).toBe('one');
    const writtenMs = await published.publish(second);
    await proxy.serves(second.config.revision);
    expect(performance.now() - writtenMs).toBeLessThan(2_000);
    expect(await answerOf(proxy)).toBe('two');
  });

  it('goes on when what it watches is deleted, and follows when it is there again', async () => {
    const first = configOf(draftTo(one));
    await published.publish(first);
    await using proxy = await startWatching(published, kubeconfig);
    await proxy.serves(first.config.revision);
    await published.deleteIndex();
    await eventually(() => saidBy(proxy, 'deleted; the last good configuration goes on') === 1);
    expect([await proxy.ready(), await answerOf(proxy)]).toEqual([true, 'one']);
    const second = configOf(draftTo(two));
    await published.publish(second);
    await proxy.serves(second.config.revision);
    expect(await answerOf(proxy)).toBe('two');
  });

  it('keeps what it has when something published cannot be served, and says why', async () => {
    const first = configOf(draftTo(one));
    await published.publish(first);
    await using proxy = await startWatching(published, kubeconfig);
    await proxy.serves(first.config.revision);
    const draft = draftTo(two);
    const bad = configOf({ ...draft, routes: [{ ...draft.routes[0]!, rules: [] }] });
    await published.publish(bad);
    const { revision, lastRefusal } = await proxy.refuses('routes.0.rules');
    expect([revision, lastRefusal?.revision]).toEqual([first.config.revision, bad.config.revision]);
    expect(await answerOf(proxy)).toBe('one');
  });

  it('may see nothing but its own objects', async () => {
    const other = new ClusterPublication(plane.shared, await plane.shared.newNamespace());
    await other.publish(configOf(draftTo(one)));
    await using proxy = await startWatching(other, kubeconfig);
    await eventually(() => saidBy(proxy, cannotWatch) === 2);
    await delay(1_500);
    expect([saidBy(proxy, cannotWatch), await proxy.ready()]).toEqual([2, false]);
    expect(proxy.program.out()).toMatch(/configmaps is forbidden|configmaps \\"sluice-default\\" is forbidden/);
  });

  it('ends at once when it is told to', async () => {
    await published.publish(configOf(draftTo(one)));
    await using proxy = await startWatching(published, kubeconfig);
    await eventually(() => proxy.ready());
    const toldMs = performance.now();
    proxy.program.process.kill('SIGTERM');
    expect(await proxy.program.ended).toBe(0);
    expect(performance.now() - toldMs).toBeLessThan(7_000);
    expect(proxy.program.err()).toBe('');
  });
});

programs.describe('a proxy whose API server is in trouble', () => {
  it(
    'goes on through freezes, crashes and tokens that are no good, and follows again',
    { timeout: 180_000 },
    async () => {
      await using own = await startControlPlane({});
      const namespace = await own.newNamespace();
      const published = new ClusterPublication(own, namespace);
      for (const object of proxyAccess(namespace)) await own.apply(object);
      const kubeconfig = await own.kubeconfigFor(namespace, proxyAccount, { tokenFile: true });
      const mounted = publish(draftTo(one));
      using mount = makeMount();
      mount.hold(mounted.files);

      // Frozen: connections are accepted and nothing is answered.
      own.pauseApiServer();
      await using proxy = await startWatching(published, kubeconfig, { mount });
      expect([await proxy.ready(), await answerOf(proxy)]).toEqual([true, 'one']);
      await eventually(() => saidBy(proxy, cannotWatch) === 2, 15_000);
      own.resumeApiServer();
      const second = configOf(draftTo(two));
      await published.publish(second);
      await eventually(async () => (await proxy.config()).revision === second.config.revision, 15_000);
      expect(await answerOf(proxy)).toBe('two');
      await eventually(() => saidBy(proxy, 'watching') === 2, 10_000);

      // Frozen while it watches: what is published meanwhile is not lost.
      own.pauseApiServer();
      await delay(2_000);
      expect([await proxy.ready(), await answerOf(proxy)]).toEqual([true, 'two']);
      own.resumeApiServer();
      const third = configOf(draftTo(one));
      await published.publish(third);
      await proxy.serves(third.config.revision);

      // Gone, and back: the account has been made anew meanwhile, so that its old token is worth nothing.
      await own.request('DELETE', `/api/v1/namespaces/${namespace}/serviceaccounts/${proxyAccount}`);
      await own.apply(proxyAccess(namespace)[0]!);
      await own.killApiServer();
      expect([await proxy.ready(), await answerOf(proxy)]).toEqual([true, 'one']);
      await own.restartApiServer();
      await eventually(() => /"reason":"401/.test(proxy.program.out()), 30_000);
      const fourth = configOf(draftTo(two));
      await published.publish(fourth);
      await delay(500);
      expect([(await proxy.config()).revision, await answerOf(proxy)]).toEqual([third.config.revision, 'one']);
      const token = await own.tokenFor(namespace, proxyAccount);
      writeFileSync(`${kubeconfig}.token`, token);
      await eventually(async () => (await proxy.config()).revision === fourth.config.revision, 35_000);
      expect(await answerOf(proxy)).toBe('two');

      // One line for each change of state and watch, however often it was tried.
      expect(saidBy(proxy, cannotWatch)).toBeLessThanOrEqual(8);
      expect(proxy.program.out()).not.toContain(token);
      expect((await proxy.config()).lastRefusal).toBeUndefined();
    },
  );
});

describe('a proxy that has a directory and a watch', () => {
  it('starts from the directory when nobody answers at the address of the API server', async () => {
    using mount = makeMount();
    mount.hold(publish(draftTo(one)).files);
    const kubeconfig = {
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:9' } }],
      contexts: [{ name: 'x', context: { cluster: 'c' } }],
      'current-context': 'x',
    };
    const path = `${mount.path}/kubeconfig`;
    writeFileSync(path, JSON.stringify(kubeconfig));
    const args = ['--watch', 'gateways/sluice-default', '--kubeconfig', path, ...loopback];
    await using proxy = await startProxyProcess(mount, { args });
    expect([await proxy.ready(), await answerOf(proxy)]).toEqual([true, 'one']);
    await eventually(() => saidBy(proxy, cannotWatch) === 2);
    await delay(1_000);
    expect([saidBy(proxy, cannotWatch), await proxy.ready()]).toEqual([2, true]);
  });
});
