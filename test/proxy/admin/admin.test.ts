import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AdminOptions } from '../../../proxy/admin/admin.ts';
import type { AdminSources } from '../../../proxy/admin/sources.ts';
import { azure, newSources, startAdmin, state, type RunningAdmin } from './server.ts';

const running: RunningAdmin[] = [];

async function start(options?: Partial<AdminOptions>): Promise<RunningAdmin> {
  const started = await startAdmin(options);
  running.push(started);
  return started;
}

async function startWith(sources: Partial<AdminSources>): Promise<RunningAdmin> {
  return await start({ sources: { ...newSources(), ...sources } });
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ admin }) => admin.close()));
});

describe('the inventory of the admin port', () => {
  it('is this list: who adds a path decides who may ask for it', async () => {
    const { admin } = await start();
    expect(admin.routes.map(({ method, path, access }) => `${method} ${path} ${access}`)).toEqual([
      'GET /livez open',
      'GET /readyz open',
      'GET /metrics open',
      'GET /config protected',
      'GET /state protected',
      'GET /state/disabled protected',
      'POST /backends/:namespace/:route/:name/disable change',
      'POST /backends/:namespace/:route/:name/enable change',
    ]);
  });
});

describe('health', () => {
  it('is alive as long as it answers, also while it is not ready', async () => {
    const { ask } = await startWith({ readiness: () => ({ ready: false, reason: 'The proxy is draining.' }) });
    expect(await ask('/livez')).toMatchObject({ status: 200, json: { status: 'ok' } });
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      json: { error: { code: 'not_ready', message: 'The proxy is draining.' } },
    });
  });

  it('is ready when the proxy says so', async () => {
    const { ask } = await start();
    expect(await ask('/readyz')).toMatchObject({ status: 200, json: { status: 'ok' } });
    expect(await ask('/readyz', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });
});

describe('what the admin port tells', () => {
  it('metrics as they were rendered', async () => {
    const { ask } = await start();
    const answered = await ask('/metrics');
    expect(answered).toMatchObject({ status: 200, text: 'sluice_up 1\n' });
    expect(answered.headers['content-type']).toBe('text/plain; version=0.0.4');
  });

  it('which configuration is served', async () => {
    const { ask } = await start();
    expect((await ask('/config')).json).toEqual({
      revision: 7,
      digest: 'd'.repeat(64),
      className: 'default',
      servedSince: '1970-01-01T00:00:00.000Z',
    });
  });

  it('why a configuration was refused, also when none was ever applied', async () => {
    const lastRefusal = { revision: 8, digest: 'e', reasons: ['routes.0: is required'], atMs: 1000 };
    const { ask } = await startWith({ config: () => ({ lastRefusal }) });
    expect((await ask('/config')).json).toEqual({
      revision: null,
      digest: null,
      className: null,
      servedSince: null,
      lastRefusal: { revision: 8, digest: 'e', reasons: ['routes.0: is required'], at: '1970-01-01T00:00:01.000Z' },
    });
  });

  it('only what is not simply enabled, to who asks for that', async () => {
    const resting = {
      model: 'm',
      state: 'disabled',
      hard: false,
      reason: 'RateLimit',
      sinceMs: 0,
      untilMs: 1000,
    } as const;
    const key = { id: 'team-a/a', provider: 'team-a/azure', state: 'enabled', models: [] } as const;
    const { ask } = await startWith({
      state: () => ({
        ...state,
        backends: [
          azure,
          { ...azure, id: 'team-a/chat/b', state: 'disabled', hard: true, reason: 'Manual', sinceMs: 0 },
          { ...azure, id: 'team-a/chat/c', state: 'trial' },
        ],
        keys: [key, { ...key, id: 'team-a/b', models: [resting] }],
      }),
    });
    const whole = (await ask('/state')).json as { backends: { id: string }[]; keys: { id: string }[] };
    const { status, json } = await ask('/state/disabled');
    expect(status).toBe(200);
    expect(json).toEqual({ ...whole, backends: whole.backends.slice(1), keys: whole.keys.slice(1) });
  });

  it('which target is disabled, why, since when, until when', async () => {
    const disabled = {
      state: 'disabled',
      hard: false,
      reason: 'Timeout',
      by: 'p',
      sinceMs: 0,
      untilMs: 60_000,
    } as const;
    const forever = { state: 'disabled', hard: true, reason: 'Manual', by: 'p', sinceMs: 0 } as const;
    const { ask } = await startWith({
      state: () => ({
        ...state,
        backends: [
          { ...azure, ...disabled },
          { ...azure, id: 'team-a/chat/b', models: [{ model: 'm', ...forever }] },
        ],
      }),
    });
    expect((await ask('/state')).json).toMatchObject({
      inFlight: 3,
      store: { kind: 'memory', state: 'ok', since: '1970-01-01T00:00:00.000Z', proxies: 1 },
      backends: [
        {
          id: 'team-a/chat/azure',
          inFlight: 2,
          waiting: 1,
          health: 0.9,
          failingPercent: 10,
          firstContentMs: 420,
          state: 'disabled',
          hard: false,
          reason: 'Timeout',
          until: '1970-01-01T00:01:00.000Z',
        },
        { state: 'enabled', models: [{ model: 'm', hard: true, since: '1970-01-01T00:00:00.000Z', until: null }] },
      ],
      keys: [{ id: 'team-a/key', state: 'enabled' }],
    });
  });

  it('is kept by nobody and taken for nothing else', async () => {
    const { ask } = await start();
    const { headers } = await ask('/state');
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('a change', () => {
  const path = '/backends/team-a/chat/azure';
  const asJson = { 'content-type': 'application/json' };

  it('disables a backend until it is enabled, or for some seconds', async () => {
    const changes: unknown[][] = [];
    const { ask, logged } = await start({ sources: newSources(changes) });
    const answered = await ask(`${path}/disable`, { method: 'POST' });
    expect(answered).toMatchObject({ status: 200, json: { id: 'team-a/chat/azure' } });
    await ask(`${path}/disable`, { method: 'POST', headers: asJson, body: '{"seconds": 1.5}' });
    await ask(`${path}/disable`, { method: 'POST', headers: asJson, body: '{}' });
    await ask(`${path}/enable`, { method: 'POST', headers: asJson });
    expect(changes).toEqual([
      ['disable', 'team-a/chat/azure', undefined],
      ['disable', 'team-a/chat/azure', 1500],
      ['disable', 'team-a/chat/azure', undefined],
      ['enable', 'team-a/chat/azure'],
    ]);
    expect(logged.map(({ message }) => message)).toEqual([
      'backend disabled by hand',
      'backend disabled by hand',
      'backend disabled by hand',
      'backend enabled by hand',
    ]);
  });

  it.each([
    ['{"seconds": 0}', 400],
    ['{"seconds": -1}', 400],
    ['{"seconds": "60"}', 400],
    ['{"seconds": 1e300}', 400],
    ['{"second": 60}', 400],
    ['[]', 400],
    ['null', 400],
    ['{', 400],
    [`{"seconds": ${' '.repeat(5000)}1}`, 413],
  ])('is refused with a body like %.20s', async (body, status) => {
    const changes: unknown[][] = [];
    const { ask } = await start({ sources: newSources(changes) });
    const answered = await ask(`${path}/disable`, { method: 'POST', headers: asJson, body });
    expect(answered.status).toBe(status);
    expect(answered.json).toMatchObject({ error: { code: status === 413 ? 'body_too_large' : 'invalid_body' } });
    expect(changes).toEqual([]);
  });

  it('is refused when its body grows beyond the limit without having said so', async () => {
    const { ask } = await start();
    const headers = { ...asJson, 'transfer-encoding': 'chunked' };
    const answered = await ask(`${path}/disable`, { method: 'POST', headers, body: Buffer.alloc(100_000, ' ') });
    expect(answered.status).toBe(413);
    expect(answered.headers.connection).toBe('close');
  });

  it.each([
    [{ 'content-type': 'text/plain' }, '{"seconds": 1}'],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, ''],
    [{ 'content-type': 'multipart/form-data; boundary=x' }, ''],
    [{ 'content-type': 'application/jsonp' }, '{}'],
    [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, '{}'],
    [{}, '{"seconds": 1}'],
  ])('is refused as anything but JSON: %j', async (headers, body) => {
    const changes: unknown[][] = [];
    const { ask } = await start({ sources: newSources(changes) });
    expect((await ask(`${path}/disable`, { method: 'POST', headers, body })).status).toBe(415);
    expect(changes).toEqual([]);
  });

  it('of a backend that nobody knows is a 404', async () => {
    const changes: unknown[][] = [];
    const { ask } = await start({ sources: newSources(changes) });
    for (const name of ['other', '..', '%61zure', 'azure%2f', '', 'a b', '__proto__']) {
      const answered = await ask(`/backends/team-a/chat/${encodeURI(name)}/disable`, { method: 'POST' });
      expect(answered).toMatchObject({ status: 404, json: { error: {} } });
    }
    expect(changes).toEqual([]);
  });
});

describe('a path', () => {
  it.each(['/', '//state', '/state/', '/STATE', '/v1/../state', '/%73tate', '/livez/x', '/debug/pprof', '/state;x'])(
    'that is not in the inventory is a 404: %s',
    async (path) => {
      const { ask } = await start();
      expect(await ask(path)).toMatchObject({ status: 404, json: { error: { code: 'path_not_found' } } });
    },
  );

  it('may carry a query, which changes nothing and is never logged', async () => {
    const { ask, logged } = await startWith({
      state: () => {
        throw new Error('broken');
      },
    });
    expect((await ask('/livez?verbose')).status).toBe(200);
    const answered = await ask('/state?token=CANARY-query');
    expect(answered).toMatchObject({ status: 500, json: { error: { code: 'internal_error' } } });
    expect(answered.text).not.toContain('broken');
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ level: 'error', fields: { method: 'GET', path: '/state' } });
    expect(JSON.stringify(logged)).not.toContain('CANARY');
  });

  it('in absolute form, which names a host of its own, is not taken', async () => {
    const { ask } = await start();
    expect((await ask('http://127.0.0.1/state')).status).toBe(404);
  });

  it('answers a wrong method with those that are right', async () => {
    const { ask } = await start();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answered = await ask('/state', { method });
      expect(answered).toMatchObject({ status: 405, json: { error: { code: 'method_not_allowed' } } });
      expect(answered.headers.allow).toBe('GET, HEAD');
    }
    expect((await ask('/backends/a/b/c/enable')).headers.allow).toBe('POST');
  });
});

describe('the server', () => {
  it('survives clients that leave in the middle, without a word', async () => {
    const { ask, port, logged } = await start();
    for (const sent of [
      'GET /sta',
      'POST /backends/team-a/chat/azure/disable HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{',
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(sent, () => socket.destroy()));
        socket.on('close', () => resolve());
      });
    }
    expect((await ask('/livez')).status).toBe(200);
    expect(logged).toEqual([]);
  });

  it('says why it cannot listen', async () => {
    const { port } = await start();
    await expect(startAdmin({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('closes with connections still open', async () => {
    const { admin, port } = await start();
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.on('connect', resolve));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await admin.close();
    await closed;
    expect(socket.readyState).toBe('closed');
  });
});
