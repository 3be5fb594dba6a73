import { afterEach, describe, expect, it } from 'vitest';
import { isLoopback } from '../../../proxy/admin/access.ts';
import type { AdminOptions } from '../../../proxy/admin/admin.ts';
import { newSources, startAdmin, type RunningAdmin } from './server.ts';

const token = 'CANARY-admin-token-51c5';
const bearer = { authorization: `Bearer ${token}` };
const openPaths = ['/livez', '/readyz', '/metrics'];
const protectedPaths = ['/config', '/state'];
const disable = '/backends/team-a/chat/azure/disable';

const running: RunningAdmin[] = [];

async function start(options?: Partial<AdminOptions>): Promise<RunningAdmin> {
  const started = await startAdmin(options);
  running.push(started);
  return started;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ admin }) => admin.close()));
});

describe('on loopback without a token', () => {
  it('everything is open', async () => {
    const { ask } = await start();
    for (const path of [...openPaths, ...protectedPaths]) expect((await ask(path)).status).toBe(200);
    expect((await ask(disable, { method: 'POST' })).status).toBe(200);
  });

  it('only to who names this machine: another name may be a page’s own that was rebound', async () => {
    const { ask, port } = await start();
    const good = ['localhost', `LocalHost:${port}`, '127.0.0.1', '127.8.9.10:1', '[::1]', `[::1]:${port}`];
    for (const host of good) expect((await ask('/state', { headers: { host } })).status).toBe(200);
    const bad = [
      'attacker.example',
      'localhost.attacker.example',
      '127.0.0.1.nip.io',
      'localhost:4000/#@attacker',
      'user@localhost',
      '10.0.0.1',
      '0.0.0.0',
      '[fe80::1]',
      'localhost, attacker.example',
    ];
    for (const host of bad) {
      for (const path of [...openPaths, ...protectedPaths, '/nothing']) {
        const answered = await ask(path, { headers: { host } });
        expect(answered).toMatchObject({ status: 403, json: { error: { code: 'host_not_allowed' } } });
      }
    }
  });

  it('is not confused by a Host header that is missing, empty, or there twice', async () => {
    const { askRaw } = await start();
    expect(await askRaw('GET /state HTTP/1.0\r\n\r\n')).toContain(' 403 ');
    expect(await askRaw('GET /state HTTP/1.1\r\n\r\n')).toContain(' 400 ');
    expect(await askRaw('GET /state HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n')).toContain(' 403 ');
    const twice = 'host: localhost\r\nhost: attacker.example\r\n';
    expect(await askRaw(`GET /state HTTP/1.1\r\n${twice}connection: close\r\n\r\n`)).toContain(' 400 ');
  });
});

describe('with a token', () => {
  it.each(['127.0.0.1', '0.0.0.0'])('what tells or changes something needs it (bound to %s)', async (host) => {
    const changes: unknown[][] = [];
    const { ask } = await start({ host, token, sources: newSources(changes) });
    for (const path of openPaths) expect((await ask(path)).status).toBe(200);
    const wrong = [
      {},
      { authorization: 'Bearer' },
      { authorization: `Bearer ${token}x` },
      { authorization: `Bearer ${token.slice(0, -1)}` },
      { authorization: `Basic ${token}` },
      { authorization: token },
      { authorization: `Bearer ${token} ${token}` },
      { 'x-api-key': token },
      { cookie: `token=${token}` },
    ];
    for (const headers of wrong) {
      for (const path of [...protectedPaths, `/state?token=${token}`]) {
        const answered = await ask(path, { headers });
        expect(answered).toMatchObject({ status: 401, json: { error: { code: 'token_required' } } });
        expect(answered.headers['www-authenticate']).toContain('Bearer');
      }
      expect((await ask(disable, { method: 'POST', headers })).status).toBe(401);
    }
    expect(changes).toEqual([]);
    for (const path of protectedPaths) expect((await ask(path, { headers: bearer })).status).toBe(200);
    expect((await ask(disable, { method: 'POST', headers: bearer })).status).toBe(200);
  });

  it('any Host will do: no page can send the token for its visitor', async () => {
    const { ask } = await start({ token });
    const headers = { ...bearer, host: 'sluice.team-a.svc:9090' };
    expect((await ask('/state', { headers })).status).toBe(200);
    expect((await ask('/state', { headers: { host: headers.host } })).status).toBe(403);
  });

  it('neither the right one nor a wrong one is ever logged or sent back', async () => {
    const sources = newSources();
    const broken = (): never => {
      throw new Error('broken');
    };
    const { ask, logged } = await start({ token, sources: { ...sources, state: broken } });
    const answers = [
      await ask('/state', { headers: bearer }),
      await ask(`/state?${token}`, { headers: { authorization: `Bearer x${token}` } }),
    ];
    expect(logged).toHaveLength(1);
    expect(JSON.stringify([logged, answers])).not.toContain(token);
  });
});

describe('off loopback without a token', () => {
  it('only health and metrics are there, under whatever name', async () => {
    for (const none of [undefined, '']) {
      const changes: unknown[][] = [];
      const { ask } = await start({ host: '0.0.0.0', token: none, sources: newSources(changes) });
      const headers = { host: 'sluice-proxy.install.svc.cluster.local:9090' };
      for (const path of openPaths) expect((await ask(path, { headers })).status).toBe(200);
      for (const given of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer undefined' }, bearer]) {
        for (const path of protectedPaths) {
          const answered = await ask(path, { headers: given });
          expect(answered).toMatchObject({ status: 403, json: { error: { code: 'token_not_set' } } });
        }
        expect((await ask(disable, { method: 'POST', headers: given })).status).toBe(403);
      }
      expect(changes).toEqual([]);
    }
  });
});

describe('a change that a page asks for', () => {
  it('is taken from a page of this very port only', async () => {
    const changes: unknown[][] = [];
    const { ask, port } = await start({ sources: newSources(changes) });
    const host = `localhost:${port}`;
    const bad = [
      'null',
      'http://attacker.example',
      `http://${host}.attacker.example`,
      `http://attacker-${host}`,
      `http://${host}/`,
      `http://localhost`,
      `https://${host}`,
      `http://${host}, http://${host}`,
      '',
    ];
    for (const origin of bad) {
      const answered = await ask(disable, { method: 'POST', headers: { host, origin } });
      expect(answered).toMatchObject({ status: 403, json: { error: { code: 'origin_not_allowed' } } });
    }
    expect(changes).toEqual([]);
    expect((await ask(disable, { method: 'POST', headers: { host, origin: `http://${host}` } })).status).toBe(200);
  });

  it('is refused there even with the token', async () => {
    const { ask } = await start({ token });
    const headers = { ...bearer, origin: 'https://attacker.example' };
    expect((await ask(disable, { method: 'POST', headers })).status).toBe(403);
  });
});

it('loopback is what cannot be anywhere else', () => {
  for (const host of ['localhost', '127.0.0.1', '127.255.255.255', '::1']) expect(isLoopback(host)).toBe(true);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com', '', '128.0.0.1', 'localhost.', '127.1']) {
    expect(isLoopback(host)).toBe(false);
  }
});
