// The operator's own port, asked as kubelets and scrapers do. https://kubernetes.io/docs/reference/using-api/health-checks/

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HealthServer, startHealthServer } from '../../../operator/telemetry/health-server.ts';

describe('the health port', () => {
  let server: HealthServer;
  const problems: Record<string, string | undefined> = {};
  let metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;

  beforeAll(async () => {
    server = await startHealthServer({
      host: '127.0.0.1',
      port: 0,
      health: { ping: () => undefined, 'leader-election': () => problems['leader-election'] },
      readiness: { caches: () => problems['caches'] },
      metrics: () => metrics(),
    });
  });
  afterAll(() => server.close());

  async function get(path: string, init: RequestInit = {}): Promise<readonly [number, string]> {
    const response = await fetch(`http://127.0.0.1:${server.listening.port}${path}`, init);
    return [response.status, await response.text()];
  }

  it('says ok, and each check by name where that is asked for', async () => {
    expect(await get('/healthz')).toEqual([200, 'ok']);
    expect(await get('/readyz')).toEqual([200, 'ok']);
    expect(await get('/readyz/')).toEqual([200, 'ok']);
    expect(await get('/healthz?verbose')).toEqual([200, '[+]ping ok\n[+]leader-election ok\nhealthz check passed\n']);
    expect(await get('/readyz/caches')).toEqual([200, 'ok']);
    expect(await get('/readyz/caches?verbose=1')).toEqual([200, '[+]caches ok\nreadyz check passed\n']);
  });

  it('says which check fails and why, unless that one is excluded', async () => {
    problems['leader-election'] = 'the lease was renewed 40 s ago';
    const failed = '[+]ping ok\n[-]leader-election failed: the lease was renewed 40 s ago\nhealthz check failed\n';
    expect(await get('/healthz')).toEqual([500, failed]);
    expect(await get('/healthz/ping')).toEqual([200, 'ok']);
    expect((await get('/healthz/leader-election'))[0]).toBe(500);
    expect(await get('/healthz?exclude=leader-election')).toEqual([200, 'ok']);
    expect(await get('/healthz?verbose&exclude=leader-election&exclude=unknown')).toEqual([
      200,
      '[+]ping ok\nhealthz check passed\n',
    ]);
    // A check that is asked for by name is not excluded.
    expect((await get('/healthz/leader-election?exclude=leader-election'))[0]).toBe(500);
    problems['leader-election'] = undefined;
    expect(await get('/healthz')).toEqual([200, 'ok']);
  });

  it('knows no other checks or paths, and takes nothing', async () => {
    expect(await get('/readyz/ping')).toEqual([404, 'there is no check ping\n']);
    for (const path of ['/', '/metrics/x', '/healthz/ping/more', '/livez', '/%zz', '/healthz%2fping']) {
      expect((await get(path))[0], path).toBe(404);
    }
    expect((await get('//'))[0]).toBe(400);
    expect((await get('/healthz', { method: 'POST', body: 'x' }))[0]).toBe(405);
    expect(await get('/healthz', { method: 'HEAD' })).toEqual([200, '']);
  });

  it('shows metrics as they are, and says so where they cannot be had', async () => {
    metrics = async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' });
    const response = await fetch(`http://127.0.0.1:${server.listening.port}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await response.text()).toBe('up 1\n');
    metrics = () => Promise.reject(new Error('with a secret in it'));
    expect(await get('/metrics')).toEqual([500, 'metrics cannot be read\n']);
  });

  it('closes although somebody keeps a connection open, and gives its port back', async () => {
    const options = { host: '127.0.0.1', health: {}, readiness: {}, metrics: () => metrics() };
    const first = await startHealthServer({ ...options, port: 0 });
    const { port } = first.listening;
    await fetch(`http://127.0.0.1:${port}/healthz`);
    await expect(startHealthServer({ ...options, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
    const second = await startHealthServer({ ...options, port });
    await second.close();
  });
});
