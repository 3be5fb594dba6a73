// Rows 4, 6, 7, 8 and 11: nobody sends a request elsewhere, gets in by another door, or has its or our credentials carried
// where they do not belong.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, errorOf } from '../../support/client.ts';
import { clientKey, route, ruleInOrder, sha256, upstreamKey } from '../../support/config.ts';
import { answer } from '../../support/scripts.ts';
import { openStage, type Stage } from '../../support/stage.ts';
import { type ScriptedUpstream, startUpstream } from '../../support/upstream.ts';
import { sendRaw } from '../ingress/rig.ts';

const secret = 'CANARY-client-8f0c1d52-5a7e-4f0b-9c55-1f6b8b0f3a11';
const poolSecret = 'CANARY-upstream-5b1f6d0e-0d3c-4a83-8a0a-2f5f8f0e9b42';
const auth = { authorization: `Bearer ${secret}` };

let stage: Stage<'a'>;
let sink: ScriptedUpstream;
beforeAll(async () => {
  sink = await startUpstream(chat('sink'));
  stage = await openStage(
    { a: chat('a') },
    {
      route: { access: { mode: 'AllKeys', namespaces: ['*'] } },
      provider: { credentials: { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } },
      draft: (usual) => ({
        ...usual,
        routes: [...usual.routes, route('open', [ruleInOrder(['a'])])],
        upstreamKeys: [upstreamKey('pool', 'a', poolSecret)],
        clientKeys: [clientKey('team', secret)],
      }),
    },
  );
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await sink[Symbol.asyncDispose]();
});
beforeEach(() => {
  stage.upstreams.a.forget();
  sink.forget();
});

describe('a client that names a place of its own is not followed', () => {
  const names = [
    'api_base',
    'base_url',
    'baseURL',
    'api_url',
    'endpoint',
    'url',
    'host',
    'target',
    'proxy',
    'api_type',
  ];

  test.each(names)('%s in body, query and headers', async (name) => {
    const { a } = stage.upstreams;
    const place = sink.baseURL;
    const url = `${stage.chatURL}?${name}=${encodeURIComponent(place)}`;
    const members = { [name]: place, extra_body: { [name]: place }, metadata: { [name]: place } };
    const headers = { ...auth, [`x-${name.replaceAll('_', '-')}`]: place, 'x-api-base': place, 'x-upstream': place };
    const got = await ask(url, { body: chatRequest('one', members), headers });
    expect(got.status).toBe(200);
    expect(got.headers['x-sluice-backend']).toBe('a');
    expect([sink.connectionsTotal, a.requests.length]).toEqual([0, 1]);
    // The query of an operation that is known goes nowhere.
    expect(a.requests[0]?.target).toBe('/v1/chat/completions');
  });

  test.each([
    'Host: 127.0.0.1:PORT',
    'Host: a\r\nX-Forwarded-Host: 127.0.0.1:PORT',
    'Host: a\r\nForwarded: host=127.0.0.1:PORT',
  ])('%s', async (field) => {
    const body = JSON.stringify(chatRequest('one'));
    const head = `POST /chat/chat/completions HTTP/1.1\r\n${field.replace('PORT', String(sink.port))}\r\n`;
    const fields = `Authorization: Bearer ${secret}\r\nContent-Type: application/json\r\nConnection: close\r\n`;
    const got = await sendRaw(port(), `${head}${fields}Content-Length: ${body.length}\r\n\r\n${body}`);
    expect(got.statuses).toEqual([200]);
    expect(sink.connectionsTotal).toBe(0);
    expect(stage.upstreams.a.requests[0]?.headers['host']).toBe(`127.0.0.1:${stage.upstreams.a.port}`);
  });

  test('an operation that is not known keeps its query, and still its place', async () => {
    const url = `${stage.gateway.url}/chat/audio/speech?api_base=${encodeURIComponent(sink.baseURL)}`;
    await ask(url, { body: { model: 'chat', api_base: sink.baseURL }, headers: auth });
    expect([sink.connectionsTotal, stage.upstreams.a.requests.length]).toEqual([0, 1]);
  });
});

describe('what decides who may enter is what is served', () => {
  const body = JSON.stringify(chatRequest('one'));
  const fields = `Content-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const request = (target: string, host = 'Host: a\r\n'): string => `POST ${target} HTTP/1.1\r\n${host}${fields}`;
  const closed = '/chat/chat/completions';

  test.each([
    ['CVE-2026-49468', request(closed, 'Host: localhost:4000/#@attacker\r\n')],
    ['the open route’s name in Host', request(closed, 'Host: a/open\r\n')],
    ['two Hosts', request(closed, 'Host: a\r\nHost: b\r\n')],
    ['the absolute form', request(`http://a${closed}`)],
    ['the absolute form, another host', request(`http://a/open/..${closed}`)],
    ['a doubled slash', request(`/${closed}`)],
    ['a doubled slash inside', request('/chat//chat/completions')],
    ['dots', request('/open/../chat/chat/completions')],
    ['encoded dots', request('/open/%2e%2e/chat/chat/completions')],
    ['encoded dots, one plain', request('/open/.%2e/chat/chat/completions')],
    ['twice encoded dots', request('/open/%252e%252e/chat/chat/completions')],
    ['an encoded slash', request('/open/..%2fchat/chat/completions')],
    ['a backslash', request('/open\\..\\chat/chat/completions')],
    ['an encoded backslash', request('/open/..%5cchat/chat/completions')],
    ['a parameter', request('/open;/../chat/chat/completions')],
    ['an encoded letter', request('/%63hat/chat/completions')],
    ['a NUL', request('/open/%00/../chat')],
    ['an overlong encoding', request('/open/%c0%ae%c0%ae/chat')],
    ['a fragment', request('/open#/../chat/chat/completions')],
    ['a question mark', request('/chat?/open/')],
    ['an encoded question mark', request('/chat%3f/open')],
    ['the admin port’s path', request('/backends/default/chat/a/disable')],
    ['the state', `GET /state HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`],
    ['the metrics', `GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`],
    ['a method in a header', request(closed, 'Host: a\r\nX-HTTP-Method-Override: GET\r\n')],
    ['a path in a header', request(closed, 'Host: a\r\nX-Original-URL: /open\r\nX-Rewrite-URL: /open\r\n')],
  ])('%s', async (_name, bytes) => {
    const { statuses } = await sendRaw(port(), bytes);
    expect(statuses).toHaveLength(1);
    expect([400, 401, 404, 405]).toContain(statuses[0]);
    expect(stage.upstreams.a.requests).toHaveLength(0);
  });

  test('a pin asks for a key as its route does', async () => {
    const got = await ask(`${stage.gateway.url}/chat/a/chat/completions`, { body: chatRequest('one') });
    expect([got.status, errorOf(got).code]).toEqual([401, 'invalid_api_key']);
  });
});

describe('a key is what it is, and nothing like it', () => {
  const odd = [
    sha256(secret),
    sha256(secret).toUpperCase(),
    `sha256:${sha256(secret)}`,
    Buffer.from(sha256(secret), 'hex').toString('base64'),
    sha256(sha256(secret)),
    secret.toLowerCase(),
    secret.slice(0, -1),
    `${secret}x`,
    `${secret}, ${secret}`,
    '*',
    '?*',
    '[a-z]*',
    "' OR '1'='1",
    '"; return redis.call("FLUSHALL") --',
    '$(id)',
    '${jndi:ldap://127.0.0.1/}',
    '__proto__',
    'constructor',
    'undefined',
    'null',
    'default/team',
    '',
    ' ',
    '\t',
    'x'.repeat(8 * 1024),
    '\u00e9'.repeat(100),
  ];

  test.each(odd)('%j as a bearer token, as x-api-key and as api-key', async (key) => {
    for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }, { 'api-key': key }]) {
      const got = await ask(stage.chatURL, { body: chatRequest('one'), headers });
      expect([got.status, errorOf(got).code]).toEqual([401, 'invalid_api_key']);
    }
    expect(stage.upstreams.a.requests).toHaveLength(0);
  });

  test.each([
    ['first', [secret, 'x']],
    ['last', ['x', secret]],
  ])('of two keys in two headers none counts, the right one %s', async (_place, keys) => {
    const body = JSON.stringify(chatRequest('one'));
    const fields = keys.map((key) => `Authorization: Bearer ${key}\r\n`).join('');
    const head = `POST /chat/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}`;
    const got = await sendRaw(port(), `${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    expect(got.statuses).toEqual([401]);
  });
});

describe('credentials stay where they belong', () => {
  test('[17] the client’s key does not reach an upstream, in whatever header, nominated or not', async () => {
    const body = JSON.stringify(chatRequest('one'));
    const fields = [
      'POST /chat/chat/completions HTTP/1.1',
      'Host: a',
      `Authorization: Bearer ${secret}`,
      `X-Api-Key: ${secret}`,
      `Api-Key: ${secret}`,
      `Cookie: key=${secret}`,
      `Proxy-Authorization: Bearer ${secret}`,
      `X-Goog-Api-Key: ${secret}`,
      `Openai-Organization: ${secret}`,
      `Openai-Project: ${secret}`,
      `X-Forwarded-For: ${secret}`,
      `X-Forwarded-Authorization: ${secret}`,
      `X-Tenant: ${secret}`,
      `X-Sluice-Backend: ${secret}`,
      `X-Unknown: ${secret}`,
      'Connection: close, authorization, x-api-key, content-length, content-type, host',
      'Keep-Alive: timeout=1',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    expect((await sendRaw(port(), `${fields.join('\r\n')}\r\n\r\n${body}`)).statuses).toEqual([200]);
    const [request] = stage.upstreams.a.requests;
    expect(JSON.stringify(request?.rawFields)).not.toContain('CANARY-client');
    expect(request?.headers['authorization']).toBe(`Bearer ${poolSecret}`);
    expect(request?.headers['content-length']).toBe(String(body.length));
  });

  test('no header of a client can put a line into a request of the gateway', async () => {
    const body = JSON.stringify(chatRequest('one'));
    for (const odd of [
      'x\rX-Injected: 1',
      'x\nX-Injected: 1',
      'x\0X-Injected: 1',
      'x\x0bX-Injected: 1',
      'x\x7f',
      'x\x80\xff',
    ]) {
      for (const name of ['User-Agent', 'OpenAI-Beta', 'Idempotency-Key', 'Traceparent', 'Accept', 'X-Request-Id']) {
        const head = `POST /open/chat/completions HTTP/1.1\r\nHost: a\r\n${name}: ${odd}\r\nConnection: close\r\n`;
        const bytes = `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
        const got = await sendRaw(port(), Buffer.from(bytes, 'latin1'));
        expect(got.statuses, JSON.stringify([name, odd])).toHaveLength(1);
        expect([200, 400], JSON.stringify([name, odd, got.text])).toContain(got.statuses[0]);
        expect(got.text).not.toMatch(/^x-injected/im);
      }
    }
    const names = stage.upstreams.a.requests.flatMap(({ rawFields }) => rawFields.map(([name]) => name.toLowerCase()));
    expect(names).not.toContain('x-injected');
  });

  test('[24] an upstream that repeats what it was sent tells the client nothing of the pool’s key', async () => {
    const { a } = stage.upstreams;
    const before = a.script;
    for (const status of [400, 401, 403, 404, 413, 422, 429, 500, 503]) {
      a.script = (exchange) => {
        const echo = `${exchange.request.headers['authorization']} at 127.0.0.1:${a.port} is not valid`;
        const error = { message: echo, type: echo, code: echo, param: echo };
        return answer({ error }, { status, headers: { 'x-request-id': 'up-1', 'www-authenticate': echo } })(exchange);
      };
      const got = await ask(stage.chatURL, { body: chatRequest(`echo ${status}`), headers: auth });
      const told = JSON.stringify(got);
      expect(told, String(status)).not.toContain('CANARY-upstream');
      expect(told, String(status)).not.toContain(String(a.port));
      expect(got.headers['www-authenticate']).toBeUndefined();
      stage.gateway.configure(stage.draft);
    }
    a.script = before;
  });
});

function port(): number {
  return Number(new URL(stage.gateway.url).port);
}
