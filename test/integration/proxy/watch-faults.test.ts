// What can happen on the wire between a proxy and the API server, with real sockets and TLS.

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createApiServer } from '../../../proxy/kube/api-server.ts';
import { loadKubeconfig } from '../../../proxy/kube/kubeconfig.ts';
import { followObjects } from '../../../proxy/kube/watched-objects.ts';
import type { HolderObject, HolderObjects } from '../../../proxy/config/watched-source.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import { type Folder, makeFolder } from '../../deploy/folder.ts';
import { eventually } from '../../support/eventually.ts';
import { requires } from '../../support/requires.ts';
import {
  answering,
  makeCertificates,
  type Script,
  type ScriptedApiServer,
  startScriptedApiServer,
  watching,
} from './scripted-api-server.ts';

const openssl = await requires('openssl');
const configMap = { kind: 'ConfigMap', namespace: 'gateways', name: 'sluice-default' } as const;

openssl.describe('a proxy that watches', () => {
  let folder: Folder;
  let server: ScriptedApiServer;
  let stop: AbortController;
  let seen: HolderObject[];
  let logged: string[];

  beforeAll(() => {
    folder = makeFolder();
    makeCertificates(openssl.path, folder);
  });
  afterAll(() => folder[Symbol.dispose]());
  beforeEach(async () => {
    server = await startScriptedApiServer(folder);
    stop = new AbortController();
    seen = [];
    logged = [];
  });
  afterEach(async () => {
    stop.abort();
    await eventually(() => server.connections() === 0);
    await server[Symbol.asyncDispose]();
    expect(logged.join()).not.toContain('CANARY');
  });

  const trusted = { 'certificate-authority': 'ca.pem', 'tls-server-name': 'kubernetes' };
  const withToken = { tokenFile: 'token' };

  async function connect(user: object = withToken, cluster: object = trusted, haste = 1): Promise<HolderObjects> {
    const path = folder.write(
      'kubeconfig',
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${server.port}`, ...cluster } }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    folder.write('token', 'CANARY-token');
    const note = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      void logged.push(`${message}: ${String(fields['reason'] as string | undefined)}`);
    return followObjects({
      server: createApiServer(await loadKubeconfig(path), 'sluice-proxy/test'),
      // Time that passes faster: nobody waits minutes for a watch to be taken for dead.
      clock: { now: () => systemClock.now(), setTimer: (ms, fire) => systemClock.setTimer(ms / haste, fire) },
      random: Math.random,
      log: { info: note, warn: note },
      signal: stop.signal,
    });
  }

  async function watch(user?: object, cluster?: object): Promise<void> {
    (await connect(user, cluster)).watch(configMap, (object) => void seen.push(object));
  }

  const added = (data: string): object => ({ type: 'ADDED', object: { data: { data } } });
  const values = (): readonly unknown[] => seen.map(({ data }) => (data as { readonly data: unknown }).data);

  it('shows its token to a server that it trusts, and reads the token anew for each connection', async () => {
    server.script(watching(added('1')));
    await watch();
    await eventually(() => seen.length === 1);
    writeFileSync(folder.at('token'), 'CANARY-rotated\n');
    server.cut();
    await eventually(() => seen.length === 2);
    expect(server.received.map(({ authorization }) => authorization)).toEqual([
      'Bearer CANARY-token',
      'Bearer CANARY-rotated',
    ]);
    const [{ url, userAgent } = { url: '', userAgent: '' }] = server.received;
    expect(url).toMatch(/^\/api\/v1\/namespaces\/gateways\/configmaps\?watch=true&fieldSelector=/);
    expect(userAgent).toBe('sluice-proxy/test');
  });

  it('shows a client certificate where that is who it is', async () => {
    server.script(watching(added('1')));
    await watch({ 'client-certificate': 'client.pem', 'client-key': 'client.key' });
    await eventually(() => seen.length === 1);
    expect(server.received[0]).toMatchObject({ client: 'client', authorization: undefined });
  });

  it.each([
    ['whose authority it does not know', { 'tls-server-name': 'kubernetes' }],
    ['that has another name', { 'certificate-authority': 'ca.pem' }],
  ])('tells nothing to a server %s', async (_what, cluster) => {
    server.script(watching(added('1')));
    await watch(withToken, cluster);
    await eventually(() => logged.length > 0);
    await delay(700);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/^cannot watch; the last good configuration goes on: .*(certificate|altnames)/);
    expect(server.received).toEqual([]);
  });

  it('takes what comes in crumbs, and drops what was cut in the middle of a line', async () => {
    const line = Buffer.from(`${JSON.stringify(added('ü'.repeat(50)))}\n`);
    server.script(
      (response) => {
        response.writeHead(200);
        for (const byte of line) response.write(Buffer.of(byte));
        response.write(line.subarray(0, line.length - 10), () => response.destroy());
      },
      watching(added('2')),
    );
    await watch();
    await eventually(() => seen.length === 2);
    expect(values()).toEqual(['ü'.repeat(50), '2']);
  });

  it.each([
    ['a reset before an answer', (): void => server.cut()],
    ['401', answering(401, { kind: 'Status', message: 'Unauthorized' })],
    ['403', answering(403, { kind: 'Status', message: 'configmaps "x" is forbidden' })],
    ['500 in a page', answering(500, '<html>CANARY</html>')],
    ['a redirect, which is never followed', answering(302, '', { location: 'https://127.0.0.1:1/' })],
    ['200 with a page', answering(200, '<html>CANARY</html>\n')],
    ['an end at once', answering(200)],
    ['an error in the watch', watching({ type: 'ERROR', object: { kind: 'Status', code: 500, message: 'gone' } })],
  ])('tries again after %s, and says it once', async (_what, script) => {
    server.script(script, script, script, watching(added('1')));
    await watch();
    await eventually(() => seen.length === 1);
    expect(logged).toHaveLength(1);
    const [first, , , last] = server.received.map(({ atMs }) => atMs);
    // Half of 0.2 s, 0.4 s and 0.8 s at least.
    expect(last! - first!).toBeGreaterThan(690);
  });

  it.each([
    ['after its first words', watching(added('1'))],
    ['before its first words', watching()],
    ['in the middle of a refusal', ((response) => void response.writeHead(403).write('{')) satisfies Script],
  ])('takes a connection for dead that has fallen silent %s', async (_what, script) => {
    server.script(script, watching(added('2')));
    (await connect(withToken, trusted, 200)).watch(configMap, (object) => void seen.push(object));
    await eventually(() => values().at(-1) === '2');
    const [first, second] = server.received.map(({ atMs }) => atMs);
    expect(second! - first!).toBeGreaterThan(700);
  });

  it('comes back when it is told to, and not sooner', async () => {
    server.script(answering(429, '', { 'retry-after': '1' }), watching(added('1')));
    await watch();
    await eventually(() => seen.length === 1);
    const [first, second] = server.received.map(({ atMs }) => atMs);
    expect(second! - first!).toBeGreaterThan(1_090);
  });

  it('leaves no connection behind', async () => {
    server.script(watching(added('1')));
    await watch();
    for (let turn = 1; turn <= 5; turn += 1) {
      await eventually(() => seen.length === turn);
      expect(server.connections()).toBe(1);
      server.cut();
    }
    await eventually(() => seen.length === 6);
    stop.abort();
    await eventually(() => server.connections() === 0);
    await delay(300);
    expect([server.connections(), server.received.length]).toEqual([0, 6]);
  });

  it('fetches an object whole, or says that there is none, or why not', async () => {
    const objects = await connect();
    const large = 'x'.repeat(3 * 1024 * 1024);
    server.script(
      answering(200, { data: { large } }),
      answering(404, { kind: 'Status', message: 'not found' }),
      answering(403, { kind: 'Status', message: 'not you' }),
      answering(200, 'CANARY'),
      answering(200, 'x'.repeat(8 * 1024 * 1024 + 1)),
      () => server.cut(),
    );
    expect(await objects.get(configMap)).toEqual({ data: { large } });
    expect(await objects.get(configMap)).toBeUndefined();
    await expect(objects.get(configMap)).rejects.toThrow('403: not you');
    await expect(objects.get(configMap)).rejects.toThrow(/^an answer that is no JSON$/);
    await expect(objects.get(configMap)).rejects.toThrow('an answer of more than 8388608 bytes');
    await expect(objects.get(configMap)).rejects.toThrow(/other side closed|ECONNRESET/);
    expect(server.received[0]?.url).toBe('/api/v1/namespaces/gateways/configmaps/sluice-default');
    expect(server.connections()).toBe(0);
  });

  it('goes on when nobody listens any more, and when somebody does again', async () => {
    await server[Symbol.asyncDispose]();
    const { port } = server;
    await watch();
    await eventually(() => logged.length === 1);
    expect(logged[0]).toMatch(/ECONNREFUSED/);
    const taken = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => void taken.listen(port, '127.0.0.1', resolve));
    await eventually(() => logged.length === 2);
    taken.close();
    server = await startScriptedApiServer(folder);
  });
});
