// Requests whose framing two readers could read differently: each must be refused, and nothing behind it served.

import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { openRaw, sendRaw, signalled, startRig } from './rig.ts';

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const post = 'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n';

/** What each must be answered with; the connection must be closed and the handler never called. */
const refused: readonly [name: string, bytes: string, status: number][] = [
  ['CL.TE', `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['TE.CL', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${smuggled}0\r\n\r\n`, 400],
  ['TE.TE, repeated', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['TE.TE, chunked twice', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['chunked, chunked', `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['gzip, chunked', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['chunked, identity', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['identity', `${post}Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n${smuggled}`, 400],
  ['xchunked', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['chunked with a vertical tab', `${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['chunked in quotes', `${post}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['empty transfer encoding', `${post}Transfer-Encoding:\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['duplicate CL, different', `${post}Content-Length: 0\r\nContent-Length: 36\r\n\r\n${smuggled}`, 400],
  ['duplicate CL, equal', `${post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${smuggled}`, 400],
  ['CL list', `${post}Content-Length: 0, 0\r\n\r\n${smuggled}`, 400],
  ['CL with a sign', `${post}Content-Length: +0\r\n\r\n${smuggled}`, 400],
  ['CL negative', `${post}Content-Length: -1\r\n\r\n${smuggled}`, 400],
  ['CL hexadecimal', `${post}Content-Length: 0x0\r\n\r\n${smuggled}`, 400],
  ['CL empty', `${post}Content-Length:\r\n\r\n${smuggled}`, 400],
  ['CL beyond 64 bits', `${post}Content-Length: 18446744073709551616\r\n\r\n${smuggled}`, 400],
  ['bare LF after the request line', `GET / HTTP/1.1\nHost: a\r\n\r\n${smuggled}`, 400],
  ['bare LF after a field', `GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n${smuggled}`, 400],
  ['bare LF at the end of the head', `GET / HTTP/1.1\r\nHost: a\r\n\n${smuggled}`, 400],
  ['bare CR in a field', `GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n${smuggled}`, 400],
  ['NUL in a field', `GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n${smuggled}`, 400],
  ['obs-fold', `GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n${smuggled}`, 400],
  ['obs-fold of the transfer encoding', `${post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['space before a colon', `${post}Content-Length : 36\r\n\r\n${smuggled}`, 400],
  ['space before the first field', `GET / HTTP/1.1\r\n Host: a\r\n\r\n${smuggled}`, 400],
  ['field without a name', `GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n${smuggled}`, 400],
  ['field without a colon', `GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n${smuggled}`, 400],
  ['duplicate Host', `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${smuggled}`, 400],
  ['duplicate Host, equal', `GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['Host with a path', `GET /admin HTTP/1.1\r\nHost: localhost:4000/#@attacker\r\n\r\n${smuggled}`, 400],
  ['Host with user info', `GET / HTTP/1.1\r\nHost: a@b\r\n\r\n${smuggled}`, 400],
  ['no Host on 1.1', `GET / HTTP/1.1\r\n\r\n${smuggled}`, 400],
  ['absolute-form target', `GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['authority-form target', `GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['asterisk-form target', `OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['fragment in the target', `GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['space in the target', `GET /a b HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['byte above ASCII in the target', `GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['HTTP/0.9', `GET /\r\n\r\n${smuggled}`, 505],
  ['HTTP/0.9 by number', `GET / HTTP/0.9\r\nHost: a\r\n\r\n${smuggled}`, 505],
  ['HTTP/1.2', `GET / HTTP/1.2\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['HTTP/2 by number', `GET / HTTP/2.0\r\nHost: a\r\n\r\n${smuggled}`, 505],
  [
    'HTTP/1.0 with a transfer encoding',
    `POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  ['unknown method', `BREW / HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['lower-case method', `get / HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`, 400],
  ['CONNECT', `CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n${smuggled}`, 405],
  ['unknown expectation', `${post}Expect: 200-ok\r\nContent-Length: 0\r\n\r\n${smuggled}`, 417],
  ['two expectations', `${post}Expect: 100-continue\r\nExpect: x\r\nContent-Length: 0\r\n\r\n`, 417],
  ['unknown content encoding', `${post}Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx${smuggled}`, 415],
  [
    'chain of content encodings',
    `${post}Content-Encoding: ${'gzip, '.repeat(99)}gzip\r\nContent-Length: 1\r\n\r\nx`,
    415,
  ],
];

const websocket =
  'GET /v1/realtime HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

test.each([...refused, ['WebSocket handshake', websocket + smuggled, 400] as const])(
  '%s is refused and the connection closed',
  async (_name, bytes, status) => {
    await using rig = await startRig();
    const answer = await sendRaw(rig.port, Buffer.from(bytes, 'latin1'));
    expect(answer.statuses).toEqual([status]);
    expect(answer.closed).toBe(true);
    expect(answer.text).toMatch(/^x-request-id: new-\w+\r$/m);
    expect(answer.text).toMatch(/^connection: close\r$/im);
    expect(answer.text).toMatch(/^x-sluice-error: \w+\r$/m);
    expect(rig.exchanges).toHaveLength(0);
    expect(rig.errors).toHaveLength(0);
  },
);

test('the preface of HTTP/2 closes the connection', async () => {
  await using rig = await startRig();
  const answer = await sendRaw(rig.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  expect(answer.closed).toBe(true);
  expect(rig.exchanges).toHaveLength(0);
});

/** Broken only in the body: the head is in order, and the handler must not see what came of it. */
const brokenBodies: readonly [name: string, body: string][] = [
  ['chunk size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['chunk size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['chunk size with an underscore', '1_0\r\nhello\r\n0\r\n\r\n'],
  ['chunk size empty', '\r\nhello\r\n0\r\n\r\n'],
  ['chunk size beyond 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['chunk size followed by a bare LF', '5\nhello\r\n0\r\n\r\n'],
  ['chunk size followed by a space', '5 \r\nhello\r\n0\r\n\r\n'],
  ['chunk longer than its size', '5\r\nhello!\r\n0\r\n\r\n'],
  ['chunk closed by a bare LF', '5\r\nhello\n0\r\n\r\n'],
  ['chunk closed by two bytes that are no line end', '5\r\nhelloXX0\r\n\r\n'],
  ['chunk extension with a bare LF', '5;a\nhello\r\n0\r\n\r\n'],
  ['chunk extension with a bare CR', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['chunk extension of 20 KiB', `5;${'a'.repeat(20 * 1024)}\r\nhello\r\n0\r\n\r\n`],
  ['trailer with a content length', '5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n'],
  ['trailer with a bare LF', '5\r\nhello\r\n0\r\nX-A: b\n\r\n'],
  ['trailer with a space before the colon', '5\r\nhello\r\n0\r\nX-A : b\r\n\r\n'],
];

test.each(brokenBodies)('%s is refused and the connection closed', async (_name, body) => {
  await using rig = await startRig();
  const answer = await sendRaw(
    rig.port,
    `${post}X-Request-Id: mine\r\nTransfer-Encoding: chunked\r\n\r\n${body}${smuggled}`,
  );
  expect(answer.closed).toBe(true);
  expect(answer.statuses.length).toBe(1);
  expect([400, 413]).toContain(answer.statuses[0]);
  expect(answer.text).toMatch(/^x-request-id: mine\r$/m);
  expect(rig.exchanges).toHaveLength(0);
});

test.each([
  ['head', 'GET / HTTP/1.1\r\nHost'],
  ['body by length', `${post}Content-Length: 10\r\n\r\nhalf`],
  ['body in chunks', `${post}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`],
])('a %s that its client ends before it is whole is refused', async (_name, bytes) => {
  await using rig = await startRig();
  await using client = await openRaw(rig.port, { half: true });
  client.socket.end(bytes);
  const answer = await client.closed();
  expect(answer.statuses).toEqual([400]);
  expect(answer.closed).toBe(true);
  expect(rig.exchanges).toHaveLength(0);
});

test('a valid chunk extension is ignored: RFC 9112 §7.1.1 demands it, and nothing of the framing goes further', async () => {
  await using rig = await startRig();
  const body = '5;name=value;flag\r\nhello\r\n0\r\n\r\n';
  const answer = await sendRaw(rig.port, `${post}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body}`);
  expect(answer.statuses).toEqual([200]);
  expect(rig.exchanges.map((exchange) => exchange.body.toString())).toEqual(['hello']);
});

test('trailers are ignored, whatever they claim', async () => {
  await using rig = await startRig();
  const trailers = 'Authorization: Bearer other\r\nHost: other\r\n';
  const body = `5\r\nhello\r\n0\r\n${trailers}\r\n`;
  const answer = await sendRaw(rig.port, `${post}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${body}`);
  expect(answer.statuses).toEqual([200]);
  expect(rig.exchanges[0]?.headers['authorization']).toBeUndefined();
  expect(rig.exchanges[0]?.headers['host']).toBe('a');
});

test('a repeated credential is one that matches nothing, not the first of the two', async () => {
  await using rig = await startRig();
  await sendRaw(
    rig.port,
    'GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n',
  );
  expect(rig.exchanges[0]?.headers['authorization']).toBe('Bearer a, Bearer b');
});

test('bytes that are no request behind a request refuse both, and end the connection', async () => {
  const late = signalled();
  await using rig = await startRig(
    async (exchange) => {
      await late.promise;
      exchange.reply(200, {}, Buffer.from('late'));
    },
    { lingerMs: 60_000 },
  );
  await using client = await openRaw(rig.port, { half: true });
  client.write(`${post}Content-Length: 2\r\n\r\n{}`);
  await eventually(() => rig.exchanges.length === 1);
  client.write('!garbage\r\n\r\n');
  const answer = await client.closed();
  expect(answer.statuses).toEqual([400]);
  expect(answer.closed).toBe(true);
  expect(rig.exchanges[0]?.signal.reason).toBe('client-left');
  late.resolve();
  client.socket.end();
  await eventually(() => rig.ingress.connections() === 0);
  expect(client.text()).not.toMatch(/late/);
  expect(rig.exchanges).toHaveLength(1);
  expect(rig.errors).toHaveLength(0);
});

test('bytes that are no request behind a request whose answer has begun cut the connection without a word', async () => {
  await using rig = await startRig(async (exchange) => {
    exchange.stream(200, {}).write(Buffer.from('begun'));
    await new Promise(() => undefined);
  });
  await using client = await openRaw(rig.port);
  client.write(`${post}Content-Length: 2\r\n\r\n{}`);
  await client.until(/begun/);
  client.write('!garbage\r\n\r\n');
  const answer = await client.closed();
  expect(answer.statuses).toEqual([200]);
  expect(answer.closed).toBe(true);
  expect(answer.text).not.toMatch(/0\r\n\r\n$/);
});
