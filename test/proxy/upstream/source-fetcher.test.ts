// Addresses of strangers, over real connections to servers of this machine: 127.0.0.1 is allowed here, as if it were
// public, and nothing else of it.

import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createSourceFetcher,
  type FetchedSource,
  type FetchTerms,
  SourceFault,
} from '../../../proxy/upstream/source-fetcher.ts';
import { soon } from '../../support/soon.ts';

const bytesMax = 1000;
const png = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

let server: Server;
let port = 0;
/** Connections to any address of this machine. */
let connections = 0;
let requests: IncomingMessage[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let resolved: string[] = [];
let addresses: LookupAddress[] = [];

const fetchSource = createSourceFetcher({
  allowCidrs: ['127.0.0.1/32'],
  resolve: (hostname) => {
    resolved.push(hostname);
    return addresses.length > 0 ? Promise.resolve(addresses) : Promise.reject(new Error('no such name'));
  },
});

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.on('connection', () => (connections += 1));
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
beforeEach(() => {
  connections = 0;
  requests = [];
  resolved = [];
  addresses = [{ address: '127.0.0.1', family: 4 }];
  answer = (_request, response) => response.setHeader('content-type', 'image/png').end(png);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function got(address: string, differs: Partial<FetchTerms> = {}): Promise<FetchedSource> {
  return fetchSource(address, { bytesMax, take: () => undefined, signal: new AbortController().signal, ...differs });
}

async function faultOf(address: string, differs: Partial<FetchTerms> = {}): Promise<string> {
  const fault: unknown = await got(address, differs).catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(SourceFault);
  return (fault as SourceFault).message;
}

function redirectTo(location: string, status = 302): void {
  answer = (_request, response) => response.writeHead(status, { location, 'set-cookie': 'a=b' }).end();
}

describe('what is at an address', () => {
  it('is got with its query, and nothing is shown of anybody', async () => {
    const { contentType, bytes } = await got(`http://pictures.test:${port}/a%20b.png?signed=yes#part`);
    expect([contentType, bytes]).toEqual(['image/png', png]);
    expect(requests.map(({ method, url }) => [method, url])).toEqual([['GET', '/a%20b.png?signed=yes']]);
    expect(requests[0]?.headers).toEqual({
      host: `pictures.test:${port}`,
      connection: 'keep-alive',
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'sluice',
    });
    expect(resolved).toEqual(['pictures.test']);
  });

  it.each([301, 302, 303, 307, 308])('is looked for where a %i says, without cookies', async (status) => {
    answer = ({ url }, response) => {
      if (url === '/there') response.end(png);
      else response.writeHead(status, { location: '/there', 'set-cookie': 'a=b' }).end('moved');
    };
    expect((await got(`http://127.0.0.1:${port}/here`)).bytes).toEqual(png);
    expect(requests.map(({ headers }) => headers.cookie)).toEqual([undefined, undefined]);
  });

  it('is looked for at three further places and no more', async () => {
    answer = ({ url = '' }, response) => {
      if (url === '/3') response.end(png);
      else response.writeHead(302, { location: `/${Number(url.slice(1)) + 1}` }).end();
    };
    expect((await got(`http://127.0.0.1:${port}/0`)).bytes).toEqual(png);
    redirectTo('/again');
    requests = [];
    expect(await faultOf(`http://127.0.0.1:${port}/0`)).toBe('redirects more than 3 times');
    expect(requests).toHaveLength(4);
  });

  it.each([
    [404, 'answers with status 404'],
    [206, 'answers with status 206'],
    [304, 'answers with status 304'],
    [500, 'answers with status 500'],
  ])('is nothing where the server says %i', async (status, says) => {
    answer = (_request, response) => response.writeHead(status).end();
    expect(await faultOf(`http://127.0.0.1:${port}/`)).toBe(says);
  });

  it('may have a limit, whether its length is said or not', async () => {
    answer = (_request, response) => response.writeHead(200, { 'content-length': String(bytesMax + 1) }).flushHeaders();
    expect(await faultOf(`http://127.0.0.1:${port}/`)).toMatch(/^is larger than /);
    let bytes = 0;
    const take = (count: number): void => {
      bytes += count;
      if (bytes > bytesMax) throw new SourceFault('is too much');
    };
    let cut = false;
    answer = (_request, response) => {
      response.on('close', () => (cut = true));
      const more = (): void => void (response.destroyed || response.write('x'.repeat(100), () => setTimeout(more, 1)));
      more();
    };
    expect(await faultOf(`http://127.0.0.1:${port}/`, { take })).toBe('is too much');
    await soon(() => cut).toBe(true);
  });

  it('is not unpacked', async () => {
    answer = (_request, response) => response.setHeader('content-encoding', 'gzip').end('bomb');
    expect(await faultOf(`http://127.0.0.1:${port}/`)).toBe('comes compressed, which was not asked for');
  });

  it('must come whole', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    };
    expect(await faultOf(`http://127.0.0.1:${port}/`)).toBe('breaks off');
    answer = (request) => request.socket.resetAndDestroy();
    expect(await faultOf(`http://127.0.0.1:${port}/`)).toBe('cannot be reached');
  });

  it('is waited for as long as somebody does', async () => {
    const leaving = new AbortController();
    let closed = false;
    answer = (request) => {
      request.socket.on('close', () => (closed = true));
      leaving.abort();
    };
    expect(await faultOf(`http://127.0.0.1:${port}/`, { signal: leaving.signal })).toBe('does not come in time');
    await soon(() => closed).toBe(true);
    expect(await faultOf(`http://127.0.0.1:${port}/`, { signal: leaving.signal })).toBe('does not come in time');
    expect(requests).toHaveLength(1);
  });
});

describe('an address', () => {
  it.each([
    ['ftp://pictures.test/a', 'has no address that begins with http'],
    ['file:///etc/passwd', 'has no address that begins with http'],
    ['gs://bucket/a.png', 'has no address that begins with http'],
    ['a.png', 'has no address that begins with http'],
    ['http://', 'has no address that begins with http'],
    ['https://user:secret@pictures.test/', 'has a password in its address'],
    ['https://user@pictures.test/', 'has a password in its address'],
  ])('is refused unasked: %s', async (address, says) => {
    expect(await faultOf(address)).toBe(says);
    expect([resolved, connections]).toEqual([[], 0]);
  });

  it('has a length', async () => {
    expect(await faultOf(`http://pictures.test/${'a'.repeat(9000)}`)).toBe('has no address that begins with http');
  });

  const inside = [
    '127.0.0.2',
    '127.0.0.3',
    '10.0.0.1',
    '192.168.0.1',
    '172.16.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '168.63.129.16',
    '0.0.0.0',
    '::1',
    '::ffff:127.0.0.2',
    'fd00:ec2::254',
    'fe80::1',
    'fc00::1',
    '64:ff9b::7f00:2',
  ];

  it.each(inside)('of the inside is not connected to, by name or number: %s', async (address) => {
    const isV6 = address.includes(':');
    const literal = isV6 ? `[${address}]` : address;
    expect(await faultOf(`http://${literal}:${port}/`)).toBe('cannot be reached');
    addresses = [{ address, family: isV6 ? 6 : 4 }];
    expect(await faultOf(`http://rebound.test:${port}/`)).toBe('cannot be reached');
    redirectTo(`http://${literal}:${port}/`);
    addresses = [{ address: '127.0.0.1', family: 4 }];
    connections = 0;
    expect(await faultOf(`http://pictures.test:${port}/`)).toBe('cannot be reached');
    expect(connections).toBe(1);
  });

  it.each(['2130706434', '0x7f000002', '0177.0.0.2', '127.2', '①②⑦.⓪.⓪.②'])(
    'is read as every browser reads it: %s',
    async (host) => {
      expect(await faultOf(`http://${host}:${port}/`)).toBe('cannot be reached');
      expect(connections).toBe(0);
    },
  );

  it('with several addresses is connected to at one that is allowed', async () => {
    addresses = [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    await got(`http://pictures.test:${port}/`);
    expect(requests[0]?.socket.localAddress).toBe('127.0.0.1');
  });

  it('that nobody knows tells no more than one that is refused', async () => {
    addresses = [];
    expect(await faultOf('http://nobody.test/')).toBe('cannot be reached');
    expect(await faultOf('http://127.0.0.1:1/')).toBe('cannot be reached');
  });

  it.each([
    ['ftp://pictures.test/', 'redirects to no http address'],
    ['http://user:secret@127.0.0.1/', 'has a password in its address'],
    ['http://[', 'redirects to no http address'],
  ])('may redirect to nothing that may not be asked: %s', async (location, says) => {
    redirectTo(location);
    expect(await faultOf(`http://127.0.0.1:${port}/`)).toBe(says);
  });
});
