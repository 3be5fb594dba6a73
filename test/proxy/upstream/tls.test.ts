import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer as createPlainServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requires } from '../../support/requires.ts';
import { providerAt, UpstreamRig } from './upstream-rig.ts';

const openssl = await requires('openssl');

/** Answers the first request of each connection, and breaks the connection on the second. */
function serve(socket: TLSSocket): void {
  let requests = 0;
  socket.on('error', () => undefined);
  socket.on('data', () => {
    requests += 1;
    if (requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');
    else socket.destroy();
  });
}

openssl.describe('an upstream behind TLS (openssl makes the certificate)', () => {
  let server: Server;
  let url: string;
  let caCertificates: string;
  let connections = 0;
  const names: (string | false)[] = [];

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
    const file = (name: string): string => join(folder, name);
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key.pem')];
    const subject = ['-subj', '/CN=upstream.example', '-addext', 'subjectAltName=DNS:upstream.example', '-days', '2'];
    execFileSync(openssl.path, ['req', '-x509', ...key, ...subject, '-out', file('cert.pem')], { stdio: 'ignore' });
    caCertificates = readFileSync(file('cert.pem'), 'utf8');
    server = createServer({ cert: caCertificates, key: readFileSync(file('key.pem')) });
    rmSync(folder, { recursive: true });
    server.on('secureConnection', (socket) => {
      connections += 1;
      names.push(socket.servername ?? false);
      serve(socket);
    });
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `https://upstream.example:${(server.address() as AddressInfo).port}/v1`;
  });

  afterAll(() => void server.close());

  it('is trusted by the authorities that the provider names', async () => {
    await using rig = new UpstreamRig();
    const received = await rig.exchange(providerAt(url, { tls: { caCertificates } }));
    expect(received).toMatchObject({ status: 200, body: 'hello' });
  });

  it('is a fault of TLS where nobody vouches for it', async () => {
    await using rig = new UpstreamRig();
    expect((await rig.exchange(providerAt(url))).failed).toMatchObject({ fault: 'tls', staleSocket: false });
  });

  it('is a fault of TLS where it has another name, unless the provider says which', async () => {
    await using rig = new UpstreamRig();
    const other = url.replace('upstream.example', 'other.example');
    const refused = await rig.exchange(providerAt(other, { tls: { caCertificates } }));
    expect(refused.failed).toMatchObject({ fault: 'tls' });
    const told = providerAt(other, { tls: { caCertificates, serverName: 'upstream.example' } });
    expect(await rig.exchange(told)).toMatchObject({ status: 200 });
    expect(names.at(-1)).toBe('upstream.example');
  });

  it('is a fault of TLS where it speaks plain HTTP', async () => {
    const plain = createPlainServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    await using rig = new UpstreamRig();
    const { port } = plain.address() as AddressInfo;
    const { failed } = await rig.exchange(providerAt(`https://upstream.example:${port}/v1`));
    expect(failed).toMatchObject({ fault: 'tls', staleSocket: false });
    plain.close();
  });

  it('is told apart as stale when a connection that was kept alive breaks before the first byte', async () => {
    await using rig = new UpstreamRig();
    const to = providerAt(url, { tls: { caCertificates } });
    const before = connections;
    await rig.exchange(to);
    expect((await rig.exchange(to)).failed).toMatchObject({ fault: 'reset', staleSocket: true });
    expect(connections - before).toBe(1);
    expect(await rig.exchange(to)).toMatchObject({ status: 200 });
    expect(connections - before).toBe(2);
  });
});
