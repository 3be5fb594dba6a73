// Rows 2, 17 and 18: what clients and upstreams invent makes no series, and the admin port of a running gateway is open to
// nobody who should not be there.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { backend, provider, route, rule, upstreamKey } from '../../support/config.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { answer } from '../../support/scripts.ts';
import { type Script, type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { sendRaw } from '../ingress/rig.ts';
import { report } from '../state/redis-fleet.ts';

const names = 2000;
const atOnce = 20;

/** Answers in a different way each time, so that models are disabled by every rule that there is. */
function moody(): Script {
  let turn = 0;
  const limited = { error: { message: 'Too many requests', type: 'rate_limit_error' } };
  const scripts: readonly Script[] = [
    chat('a'),
    answer(limited, { status: 429, headers: { 'retry-after': '60' } }),
    answer(
      { error: { message: 'busy' } },
      { status: 503, headers: { 'retry-after': '60', 'x-request-id': randomUUID() } },
    ),
    answer({ error: { message: 'no such model', code: 'model_not_found' } }, { status: 404 }),
    answer({ error: { message: 'no', type: 'permission_error' } }, { status: 403 }),
    (exchange) =>
      answer({ error: { message: randomUUID(), type: randomUUID(), code: randomUUID() } }, { status: 400 })(exchange),
  ];
  return (exchange) => scripts[turn++ % scripts.length]?.(exchange);
}

let upstream: ScriptedUpstream;
let gateway: TestGateway;
beforeAll(async () => {
  upstream = await startUpstream(moody());
  gateway = await startTestGateway({
    providers: [
      provider('keyed', upstream.baseURL, {
        credentials: { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } },
      }),
      provider('plain', upstream.baseURL),
    ],
    upstreamKeys: [upstreamKey('one', 'keyed', 'secret-one'), upstreamKey('two', 'keyed', 'secret-two')],
    routes: [route('chat', [rule([backend('keyed'), backend('plain')])])],
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function invent(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += atOnce) {
    await Promise.all(
      Array.from({ length: atOnce }, async (_, index) => {
        const name = randomUUID();
        const path =
          ['/chat/chat/completions', '/chat/responses', `/chat/${name}`, '/v1/chat/completions'][index % 4] ?? '';
        const headers = { 'x-request-id': name, authorization: `Bearer ${name}`, 'user-agent': name, 'x-tenant': name };
        await ask(`${gateway.url}${path}?${name}=1`, { body: chatRequest('x', { model: name }), headers });
      }),
    );
  }
}

function seriesOf(metrics: string): readonly string[] {
  return metrics
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
}

test(`${names} names of models, paths, keys and ids make no series of their own`, { timeout: 60_000 }, async () => {
  await invent(names / 10);
  const early = seriesOf(await gateway.metrics());
  await invent(names);
  const text = await gateway.metrics();
  const series = seriesOf(text);
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/);
  expect(new Set(series).size).toBe(series.length);
  // What happens for the first time may still come: a histogram or two, whatever the number of names.
  report(`series after ${names / 10} names and after ${names} more`, { before: early.length, after: series.length });
  expect(series.length - early.length).toBeLessThan(100);
});

describe('the admin port of a running gateway', () => {
  const post = 'POST /backends/default/chat/plain/disable HTTP/1.1\r\n';
  const port = (): number => Number(new URL(gateway.adminURL).port);
  const send = (head: string, body = ''): Promise<{ readonly statuses: readonly number[] }> =>
    sendRaw(port(), `${head}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

  const refused: readonly (readonly [name: string, head: string, body: string, statuses: readonly number[]])[] = [
    ['another origin', `${post}Host: 127.0.0.1\r\nOrigin: https://evil.example\r\n`, '', [403]],
    ['no origin worth the name', `${post}Host: 127.0.0.1\r\nOrigin: null\r\n`, '', [403]],
    ['an origin that ends alike', `${post}Host: 127.0.0.1\r\nOrigin: http://127.0.0.1.evil.example\r\n`, '', [403]],
    ['an origin that begins alike', `${post}Host: 127.0.0.1\r\nOrigin: http://127.0.0.1:1@evil.example\r\n`, '', [403]],
    ['a rebound name', `${post}Host: evil.example\r\n`, '', [403]],
    ['a rebound name, for reading', 'GET /state HTTP/1.1\r\nHost: evil.example\r\n', '', [403]],
    ['a name that ends alike', 'GET /state HTTP/1.1\r\nHost: localhost.evil.example\r\n', '', [403]],
    ['two Hosts', 'GET /state HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n', '', [400]],
    ['the absolute form', 'GET http://127.0.0.1/state HTTP/1.1\r\nHost: 127.0.0.1\r\n', '', [404]],
    ['a form', `${post}Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n`, 'a=b', [415]],
    ['plain text', `${post}Host: 127.0.0.1\r\nContent-Type: text/plain\r\n`, '{}', [415]],
    ['a form with a file', `${post}Host: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n`, '{}', [415]],
    ['no type', `${post}Host: 127.0.0.1\r\n`, '{}', [415]],
    ['much', `${post}Host: 127.0.0.1\r\nContent-Type: application/json\r\n`, ' '.repeat(5000), [413]],
    ['a method for reading', 'GET /backends/default/chat/plain/disable HTTP/1.1\r\nHost: 127.0.0.1\r\n', '', [405]],
    [
      'a method in a header',
      'GET /backends/default/chat/plain/disable HTTP/1.1\r\nHost: 127.0.0.1\r\nX-HTTP-Method-Override: POST\r\n',
      '',
      [405],
    ],
    ['a doubled slash', 'GET //state HTTP/1.1\r\nHost: 127.0.0.1\r\n', '', [404]],
    ['dots', 'GET /livez/../state HTTP/1.1\r\nHost: 127.0.0.1\r\n', '', [404]],
    ['an encoded name', 'POST /backends/default/chat/pl%61in/disable HTTP/1.1\r\nHost: 127.0.0.1\r\n', '', [404]],
    ['a path of the data port', 'POST /chat/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n', '', [404]],
    ['what others leave open', 'GET /debug/pprof HTTP/1.1\r\nHost: 127.0.0.1\r\n', '', [404]],
    ['a tunnel', 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n', '', []],
    ['CL.TE', `${post}Host: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n`, '0\r\n\r\n', [400]],
  ];

  test.each(refused)('refuses %s', async (_name, head, body, statuses) => {
    const got = await send(head, body);
    expect(got.statuses).toEqual(statuses);
    expect(await gateway.backend('default/chat/plain')).not.toMatchObject({ reason: 'Manual' });
  });

  test('speaks no WebSocket', async () => {
    const fields = 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const got = await sendRaw(
      port(),
      `GET /state HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n${fields}\r\n`,
      500,
    );
    expect(got.statuses).not.toContain(101);
  });

  test('tells nobody anything without the token that it has', async () => {
    const token = `CANARY-${randomUUID()}`;
    const listen = { host: '127.0.0.1', port: 0 };
    await using guarded = await startTestGateway(undefined, { admin: { ...listen, token } });
    for (const path of ['/state', '/config']) {
      for (const authorization of [
        '',
        'Bearer',
        `Bearer ${token}x`,
        `Bearer ${token.slice(0, -1)}`,
        `Basic ${token}`,
        token,
      ]) {
        const got = await ask(`${guarded.adminURL}${path}`, { headers: { authorization } });
        expect(got.status).toBe(401);
        expect(got.text).not.toContain('CANARY');
      }
      expect((await ask(`${guarded.adminURL}${path}?token=${token}`)).status).toBe(401);
      expect((await ask(`${guarded.adminURL}${path}`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(
        200,
      );
    }
    expect((await ask(`${guarded.adminURL}/livez`)).status).toBe(200);
  });
});
