// The forms of the Redis URL against the real thing: sentinels with a failover, a cluster of two, TLS.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { createRedisConnection } from '../../../proxy/state/redis-connection.ts';
import { parseRedisUrl } from '../../../proxy/state/redis-url.ts';
import { freePort, startRedis, startSentinel, type TestRedis } from '../../support/redis.ts';
import { requires } from '../../support/requires.ts';
import { soon } from '../../support/soon.ts';
import {
  closeAll,
  createProxy,
  joinFleet,
  quantile,
  type RedisProxy,
  report,
  skewedClock,
  timeUntil,
} from './redis-fleet.ts';

const program = await requires('redis-server');
const target = (name: string | number): string => `backend:team-a/chat/${name}`;
const openssl = await requires('openssl');

program.describe('several servers', () => {
  const servers: TestRedis[] = [];
  const proxies: RedisProxy[] = [];

  afterEach(async () => {
    await closeAll(proxies.splice(0));
    for (const server of servers.splice(0).toReversed()) await server.stop();
  });

  async function start(settings: readonly string[] = []): Promise<TestRedis> {
    const server = await startRedis(program.path, settings);
    servers.push(server);
    return server;
  }

  async function join(url: string): Promise<RedisProxy> {
    const proxy = await joinFleet({ url });
    proxies.push(proxy);
    return proxy;
  }

  test('with a sentinel: the proxies follow the master, and what the old one took with it is told again', async () => {
    const master = await start();
    const replica = await start(['--replicaof', '127.0.0.1', String(master.port)]);
    await soon(async () => replica.admin.info('replication')).toContain('master_link_status:up');
    const sentinel = await startSentinel(program.path, master);
    servers.push(sentinel);
    await soon(async () => JSON.stringify(await sentinel.admin.call('SENTINEL', 'REPLICAS', 'main'))).toContain(
      String(replica.port),
    );

    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/main`;
    const [one, two] = [await join(url), await join(url)];
    one.disable(target('before'));
    await soon(() => two.book.until(target('before'))).not.toBe(0);

    await master.kill();
    await soon(() => one.store.health().state).toBe('down');
    one.disable(target('meanwhile'));
    const took = await timeUntil(() => two.book.until(target('meanwhile')) !== 0);
    report('news over a failover, most of it the sentinel’s, ms', { took });
    const late = await join(url);
    expect(late.book.list()).toHaveLength(2);
    expect(await replica.admin.zcard('{sluice:default}:index')).toBe(2);
    expect(one.lines).toHaveLength(3);
  }, 60_000);

  test('with a sentinel: a connection that is to be made anew while it is being made is made all the same', async () => {
    const master = await start();
    const sentinel = await startSentinel(program.path, master);
    servers.push(sentinel);
    let ready = 0;
    let subscribed = 0;
    const connection = createRedisConnection({
      address: parseRedisUrl(`redis+sentinel://127.0.0.1:${sentinel.port}/main`),
      channel: 'news',
      clock: skewedClock(0),
      random: Math.random,
      events: {
        onReady: () => void (ready += 1),
        onClosed: () => undefined,
        onSubscribed: () => void (subscribed += 1),
        onMessage: () => undefined,
      },
    });
    onTestFinished(() => connection.close());
    connection.connect();
    // Both are asking the sentinel where the master is.
    connection.reconnect('READONLY');
    await soon(() => Math.min(ready, subscribed)).toBe(1);
  });

  test('with sentinels that are not there: the proxy starts alone', async () => {
    const one = createProxy({ url: `redis+sentinel://127.0.0.1:${await freePort()}/main` });
    proxies.push(one);
    await one.store.start(300);
    expect(one.store.health()).toMatchObject({ state: 'down' });
    one.disable(target('b'));
    expect(one.lines).toHaveLength(1);
  });

  describe('in a cluster', () => {
    async function startCluster(): Promise<[TestRedis, TestRedis]> {
      // The nodes' own port would else be 10,000 above the free one, and beyond what there is.
      const settings = async (): Promise<string[]> => [
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        `${await freePort()}`,
      ];
      const [one, two] = [await start(await settings()), await start(await settings())];
      await one.admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
      await two.admin.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
      const bus = String(((await two.admin.config('GET', 'cluster-port')) as string[])[1]);
      await one.admin.call('CLUSTER', 'MEET', '127.0.0.1', String(two.port), bus);
      for (const { admin } of [one, two]) {
        await soon(() => admin.call('CLUSTER', 'INFO')).toContain('cluster_state:ok');
        await soon(() => admin.call('CLUSTER', 'INFO')).toContain('cluster_known_nodes:2');
      }
      return [one, two];
    }

    test('news travels, whichever node a proxy was given', async () => {
      const [first, second] = await startCluster();
      const [one, two] = [
        await join(`redis+cluster://127.0.0.1:${first.port},127.0.0.1:${second.port}`),
        await join(`redis+cluster://127.0.0.1:${second.port}`),
      ];
      expect([one, two].map(({ store }) => store.health().state)).toEqual(['ok', 'ok']);
      const took: number[] = [];
      for (let n = 0; n < 50; n++) {
        one.disable(target(n));
        took.push(await timeUntil(() => two.book.until(target(n)) !== 0));
      }
      report('50 disables in a cluster, ms', { p50: quantile(took, 0.5), max: quantile(took, 1) });
      two.book.clear(target(0));
      await soon(() => one.book.until(target(0))).toBe(0);
      const late = await join(`redis+cluster://127.0.0.1:${first.port}`);
      expect(late.book.list()).toHaveLength(49);
    });

    test('that loses the node with the keys: the proxies go on, and tell it again when it is back', async () => {
      const [first, second] = await startCluster();
      const url = `redis+cluster://127.0.0.1:${first.port},127.0.0.1:${second.port}`;
      const [one, two] = [await join(url), await join(url)];
      one.disable(target('before'));
      await soon(() => two.book.until(target('before'))).not.toBe(0);
      const owner = (await first.admin.exists('{sluice:default}:log').catch(() => 0)) === 1 ? first : second;
      owner.pause();
      await soon(() => one.store.health().state).toBe('down');
      one.disable(target('meanwhile'));
      owner.resume();
      const took = await timeUntil(() => two.book.until(target('meanwhile')) !== 0);
      report('news after a node of the cluster thawed, ms', { took });
      await soon(() => one.store.health().state).toBe('ok');
    }, 60_000);
  });

  openssl.describe('behind TLS', () => {
    test('news travels, and a stranger is refused', async () => {
      const folder = mkdtempSync(joinPath(tmpdir(), 'sluice-tls-'));
      const file = (name: string): string => joinPath(folder, name);
      const subject = ['-subj', '/CN=sluice-test', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key.pem')];
      execFileSync(openssl.path, ['req', '-x509', ...key, ...subject, '-out', file('cert.pem')], { stdio: 'ignore' });
      const port = await freePort();
      const own = ['--tls-cert-file', file('cert.pem'), '--tls-key-file', file('key.pem')];
      const server = await start(['--tls-port', String(port), ...own, '--tls-auth-clients', 'no']);
      const url = `rediss://127.0.0.1:${port}`;

      const stranger = createProxy({ url });
      proxies.push(stranger);
      await stranger.store.start(300);
      expect(stranger.store.health()).toMatchObject({ state: 'down' });
      expect(stranger.store.health().detail).toMatch(/certificate/);

      const before = getCACertificates('default');
      setDefaultCACertificates([...before, readFileSync(file('cert.pem'), 'utf8')]);
      try {
        const [one, two] = [await join(url), await join(url)];
        one.disable(target('b'));
        await soon(() => two.book.until(target('b'))).not.toBe(0);
      } finally {
        setDefaultCACertificates(before);
        rmSync(folder, { recursive: true });
      }
      expect(await server.admin.zcard('{sluice:default}:index')).toBe(1);
    });
  });
});
