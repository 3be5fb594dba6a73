// What a client sees of whole and streamed answers: ids, framing, keep-alive, and errors of the handler.

import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { echo, openRaw, sendRaw, startRig } from './rig.ts';

const get = 'GET /a HTTP/1.1\r\nHost: a\r\n';

test('a request reaches the handler whole and undecoded, and its answer the client', async () => {
  await using rig = await startRig();
  const head = 'POST //v1/%2e%2e/../a%20b?x=1&y=%41?z HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n';
  const answer = await sendRaw(rig.port, `${head}Content-Length: 7\r\n\r\n{"a":1}`);
  expect(answer.statuses).toEqual([200]);
  expect(answer.text).toMatch(/^content-type: application\/json\r$/m);
  const echoed = { method: 'POST', path: '//v1/%2e%2e/../a%20b', query: '?x=1&y=%41?z', body: '{"a":1}' };
  expect(JSON.parse(answer.text.split('\r\n\r\n')[1]!)).toEqual(echoed);
  const [exchange] = rig.exchanges;
  expect(exchange?.remoteAddress).toBe('127.0.0.1');
  expect(Math.abs(Date.now() - exchange!.receivedAtMs)).toBeLessThan(2000);
  expect(exchange?.headers['host']).toBe('a:1');
});

test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'PURGE'])(
  '%s reaches the handler, with any path and an accept-version that no router knows',
  async (method) => {
    await using rig = await startRig();
    const head = `${method} /%ff/*?:x HTTP/1.1\r\nHost: a\r\nAccept-Version: 9\r\nConnection: close\r\n`;
    const answer = await sendRaw(rig.port, `${head}\r\n`);
    expect(answer.statuses).toEqual([200]);
    expect(rig.exchanges.map((exchange) => exchange.method)).toEqual([method]);
    expect(rig.exchanges[0]?.headers['accept-version']).toBe('9');
    expect(rig.exchanges[0]?.path).toBe('/%ff/*');
    expect(rig.exchanges[0]?.body).toHaveLength(0);
  },
);

test.each(['abc', 'A.b_c:d-9', 'x'.repeat(128)])('a sane request id is kept: %s', async (id) => {
  await using rig = await startRig();
  const response = await fetch(rig.url, { headers: { 'x-request-id': id } });
  expect(response.headers.get('x-request-id')).toBe(id);
  expect(rig.exchanges[0]?.id).toBe(id);
});

test.each(['', 'a b', 'a\tb', 'a"b', 'ü', '{"a":1}', 'x'.repeat(129), 'a,b'])(
  'any other request id is replaced: %j',
  async (id) => {
    await using rig = await startRig();
    const answer = await sendRaw(rig.port, `${get}X-Request-Id: ${id}\r\nConnection: close\r\n\r\n`);
    expect(answer.text).toMatch(/^x-request-id: new-1\r$/m);
    expect(rig.exchanges[0]?.id).toBe('new-1');
  },
);

test('a request id with control characters is broken HTTP, and one with a line break ends there', async () => {
  await using rig = await startRig();
  const broken = await sendRaw(rig.port, `${get}X-Request-Id: a\nSet-Cookie: b\r\n\r\n`);
  expect(broken.statuses).toEqual([400]);
  const escape = await sendRaw(rig.port, `${get}X-Request-Id: \x1b[31m\r\n\r\n`);
  expect(escape.statuses).toEqual([400]);
  const split = await sendRaw(rig.port, `${get}X-Request-Id: a\r\nSet-Cookie: b\r\nConnection: close\r\n\r\n`);
  expect(split.statuses).toEqual([200]);
  expect(split.text).not.toMatch(/set-cookie/i);
});

test('a repeated request id is replaced', async () => {
  await using rig = await startRig();
  const answer = await sendRaw(rig.port, `${get}X-Request-Id: a\r\nX-Request-Id: b\r\nConnection: close\r\n\r\n`);
  expect(answer.text).toMatch(/^x-request-id: new-1\r$/m);
});

test('the handler cannot set what belongs to the connection, nor split a header', async () => {
  await using rig = await startRig(async (exchange) => {
    if (exchange.path === '/split') return exchange.reply(200, { 'x-a': 'b\r\nset-cookie: c' }, Buffer.from('x'));
    const headers = {
      connection: 'upgrade',
      'content-length': '99',
      'transfer-encoding': 'gzip',
      'x-request-id': 'other',
    };
    exchange.reply(200, headers, Buffer.from('whole'));
  });
  const response = await fetch(rig.url, { headers: { 'x-request-id': 'mine' } });
  expect(await response.text()).toBe('whole');
  expect(response.headers.get('x-request-id')).toBe('mine');
  expect(response.headers.get('content-length')).toBe('5');
  const split = await fetch(`${rig.url}/split`);
  expect(split.status).toBe(500);
  expect(split.headers.get('set-cookie')).toBeNull();
});

test('bodies of every size arrive as they were given, joined to their head or not', async () => {
  await using rig = await startRig(async (exchange) => exchange.reply(200, {}, exchange.body));
  for (const size of [0, 1, 8 * 1024, 8 * 1024 + 1, 70_000, 3_000_000]) {
    const body = Buffer.from(Array.from({ length: size }, (_, index) => index % 256));
    const response = await fetch(rig.url, { method: 'POST', body });
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), body)).toBe(0);
  }
});

test('streamed chunks of every size arrive as they were given', async () => {
  const chunks = [1, 15, 16, 255, 4096, 16 * 1024, 16 * 1024 + 1, 100_000].map((size) =>
    Buffer.alloc(size, size % 251),
  );
  await using rig = await startRig(async (exchange) => {
    const stream = exchange.stream(200, { 'content-type': 'application/octet-stream' });
    for (const chunk of chunks) {
      stream.write(Buffer.alloc(0));
      if (!stream.write(chunk)) await new Promise<void>((resolve) => stream.onDrain(resolve));
    }
    stream.end(exchange.path === '/last' ? Buffer.from('last') : undefined);
  });
  for (const last of ['', 'last']) {
    const response = await fetch(`${rig.url}/${last}`);
    const expected = Buffer.concat([...chunks, Buffer.from(last)]);
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), expected)).toBe(0);
  }
});

test('an answer that is only ended is empty, and keeps the connection', async () => {
  await using rig = await startRig(async (exchange) => exchange.stream(200, {}).end());
  await using client = await openRaw(rig.port);
  for (let count = 1; count <= 3; count += 1) {
    client.write(`${get}\r\n`);
    await eventually(() => client.text().match(/0\r\n\r\n/g)?.length === count);
  }
  expect(rig.ingress.connections()).toBe(1);
});

test.each([
  ['HEAD', 200],
  ['GET', 204],
  ['GET', 304],
])('%s with status %i has no body, whole or streamed', async (method, status) => {
  await using rig = await startRig(async (exchange) => {
    if (exchange.path === '/whole') return exchange.reply(status, {}, Buffer.from('BODY'));
    const stream = exchange.stream(status, {});
    stream.write(Buffer.from('BODY'));
    stream.write(Buffer.from('BODY'));
    stream.end(Buffer.from('BODY'));
  });
  await using client = await openRaw(rig.port);
  client.write(`${method} /whole HTTP/1.1\r\nHost: a\r\n\r\n`);
  await client.until(/\r\n\r\n/);
  client.write(`${method} /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  const answer = await client.closed();
  expect(answer.statuses).toEqual([status, status]);
  expect(answer.text).not.toMatch(/BODY/);
  expect(answer.text).not.toMatch(/transfer-encoding/i);
});

test('nothing is sent before the first bytes of a stream, so that an error can still have a status', async () => {
  await using rig = await startRig(async (exchange) => {
    exchange.stream(200, {});
    expect(exchange.started).toBe(false);
    exchange.reply(503, {}, Buffer.from('changed'));
    expect(exchange.started).toBe(true);
  });
  const response = await fetch(rig.url);
  expect(response.status).toBe(503);
  expect(rig.errors).toHaveLength(0);
});

test('HTTP/1.0 is served, never kept alive, and never chunked', async () => {
  await using rig = await startRig(async (exchange) => {
    const stream = exchange.stream(200, {});
    stream.write(Buffer.from('one'));
    stream.write(Buffer.from('two'));
    stream.end(Buffer.from('three'));
  });
  const answer = await sendRaw(rig.port, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  expect(answer.statuses).toEqual([200]);
  expect(answer.closed).toBe(true);
  expect(answer.text).toMatch(/^connection: close\r$/m);
  expect(answer.text).not.toMatch(/chunked/);
  expect(answer.text).toMatch(/\r\n\r\nonetwothree$/);
});

test('an HTTP/1.0 answer that is cut ends in a reset, as nothing else tells it from a whole one', async () => {
  await using rig = await startRig(async (exchange) => {
    const stream = exchange.stream(200, {});
    stream.write(Buffer.from('part'));
    setTimeout(() => stream.destroy(), 20);
  });
  await using client = await openRaw(rig.port);
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => client.socket.on('error', resolve));
  client.write('GET / HTTP/1.0\r\n\r\n');
  await client.until(/part/);
  expect((await failed).code).toBe('ECONNRESET');
});

test('pipelined requests are served one after the other, each whole', async () => {
  let running = 0;
  await using rig = await startRig(async (exchange) => {
    running += 1;
    expect(running).toBe(1);
    await delay(5);
    running -= 1;
    exchange.reply(200, {}, exchange.body);
  });
  const posts = ['one', 'two', 'three'].map(
    (body) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const answer = await sendRaw(rig.port, `${posts.join('')}${get}Connection: close\r\n\r\n`);
  expect(answer.statuses).toEqual([200, 200, 200, 200]);
  expect(answer.text.match(/one|two|three/g)).toEqual(['one', 'two', 'three']);
  expect(rig.errors).toHaveLength(0);
});

test('what is pipelined behind the last request of a connection is not served', async () => {
  await using rig = await startRig(async (exchange) => {
    if (exchange.path === '/late') await delay(50);
    await echo(exchange);
  });
  for (const late of [false, true]) {
    await using client = await openRaw(rig.port);
    client.write(`${late ? get.replace('/a', '/late') : get}Connection: close\r\n\r\n${get}\r\n`);
    client.write(`${get}\r\n`);
    const answer = await client.closed();
    expect(answer.statuses).toEqual([200]);
    expect(answer.text).toMatch(/\}$/);
  }
  expect(rig.exchanges).toHaveLength(2);
});

test('more pipelined requests than any client sends cut the connection', async () => {
  await using rig = await startRig(() => new Promise(() => undefined), { pipelinedMax: 4 });
  const answer = await sendRaw(rig.port, `${get}\r\n`.repeat(6));
  expect(answer.closed).toBe(true);
  expect(rig.exchanges).toHaveLength(1);
  await eventually(() => rig.ingress.inFlight() === 0);
});

test('an offer to upgrade to anything but WebSocket is ignored, as some clients offer h2c with every request', async () => {
  await using rig = await startRig();
  const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n';
  await using client = await openRaw(rig.port);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\n${upgrade}Content-Length: 5\r\n\r\nhello`);
  expect(await client.until(/"body":"hello"/)).toMatch(/^HTTP\/1\.1 200/);
});

test('idle connections are told how long they stay, and closed after that', async () => {
  await using rig = await startRig();
  await using told = await openRaw(rig.port);
  told.write(`${get}\r\n`);
  expect(await told.until(/\}$/)).toMatch(/^keep-alive: timeout=72\r$/im);
  await using short = await startRig(undefined, { keepAliveTimeoutMs: 1 });
  await using client = await openRaw(short.port);
  client.write(`${get}\r\n`);
  // Node adds a second, so that a client that goes by the header never meets a closed connection.
  expect((await client.closed()).closed).toBe(true);
});

test('a listener for both families tells IPv4 clients by their own address', async () => {
  await using rig = await startRig(undefined, {}, '::');
  expect((await fetch(rig.url)).status).toBe(200);
  expect(rig.exchanges[0]?.remoteAddress).toBe('127.0.0.1');
});

test('a handler that rejects, throws or gives no answer is a 500, logged once', async () => {
  for (const handler of [
    () => Promise.reject(new Error('secret')),
    () => {
      throw new Error('secret');
    },
    () => Promise.resolve(),
  ]) {
    await using rig = await startRig(handler);
    const response = await fetch(rig.url, { headers: { 'x-request-id': 'mine' } });
    expect(response.status).toBe(500);
    expect(response.headers.get('x-sluice-error')).toBe('internal_error');
    expect(response.headers.get('x-request-id')).toBe('mine');
    expect(await response.text()).not.toMatch(/secret/);
    expect(rig.errors).toHaveLength(1);
    expect(rig.errors[0]?.fields['requestId']).toBe('mine');
  }
});

test('a handler that rejects in the middle of its answer cuts the connection', async () => {
  await using rig = await startRig(async (exchange) => {
    exchange.stream(200, {}).write(Buffer.from('part'));
    throw new Error('broken');
  });
  await expect(fetch(rig.url).then((response) => response.text())).rejects.toThrow();
  expect(rig.errors).toHaveLength(1);
});

test('a handler that rejects after its answer changes nothing', async () => {
  await using rig = await startRig(async (exchange) => {
    exchange.reply(200, {}, Buffer.from('whole'));
    throw new Error('late');
  });
  expect(await (await fetch(rig.url)).text()).toBe('whole');
  expect(rig.errors).toHaveLength(1);
});

test('Expect: 100-continue is met before the body is sent, and not for a body that is too large', async () => {
  await using rig = await startRig();
  const continued = await new Promise<string>((resolve, reject) => {
    const client = request(`${rig.url}/`, {
      method: 'POST',
      headers: { expect: '100-continue', 'content-length': '5' },
    });
    client.on('continue', () => client.end('hello'));
    client.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    client.on('error', reject);
    client.flushHeaders();
  });
  expect(JSON.parse(continued)).toMatchObject({ body: 'hello' });
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n';
  expect((await sendRaw(rig.port, head)).statuses).toEqual([413]);
});
