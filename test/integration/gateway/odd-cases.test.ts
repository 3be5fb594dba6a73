// What seldom happens, and must not matter when it does.

import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { chat, chatFrames, chatRequest, markedText } from '../../support/chat.ts';
import { ask, contentOf, errorOf, streamedContentOf } from '../../support/client.ts';
import { backend, configOf, failover, provider, route, rule, ruleInOrder, upstreamKey } from '../../support/config.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { keyOf, limited } from '../../support/key-upstream.ts';
import { answer, stopAfter, stopAtOnce } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';
import { encodeChunk, encodeHead, lastChunk } from '../../support/upstream-wire.ts';

describe('an upstream that answers before it has read the request', () => {
  const big = { ...chatRequest('big'), pad: 'x'.repeat(20_000_000) };
  const error = { error: { message: 'too large', type: 'invalid_request_error', code: 'request_too_large' } };

  it.each([
    [413, 413, 'request_too_large'],
    [503, 200, undefined],
  ])('with %i, and then reads no more, is heard all the same', async (status, wanted, code) => {
    await using stage = await openStage({ a: chat('a'), b: chat('b') });
    const { a } = stage.upstreams;
    a.onHead = answer(error, { status, headers: { connection: 'close' } });
    const answered = await ask(stage.chatURL, { body: big });
    expect(answered.status).toBe(wanted);
    if (code !== undefined) expect(errorOf(answered).code).toBe(code);
    expect((await stage.gateway.backend('default/chat/a')).reason).toBe(status === 413 ? undefined : 'Overloaded');
  });
});

it('ends a stream that was begun without content when the drain is over', async () => {
  await using stage = await openStage(
    { a: stopAtOnce('stall') },
    { failover: { holdSeconds: 0.1 }, gateway: { drainMs: 400 } },
  );
  const stream = ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
  await eventually(() => stage.upstreams.a.requests.length === 1);
  await delay(150);
  await stage.gateway.gateway.drain();
  expect((await stream).text).toMatch(/^: keep-alive\n\ndata: \{"error":\{[^\n]*"code":"draining"\}\}\n\n$/);
});

it('takes a limited key for want of any other, as it would a disabled backend', async () => {
  await using stage = await openStage(
    { pool: limited(30) },
    {
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map((it) => ({ ...it, credentials: { type: 'KeyPool' } })),
        upstreamKeys: [upstreamKey('a', 'pool', 'a'), upstreamKey('b', 'pool', 'b')],
      }),
    },
  );
  expect((await ask(stage.chatURL, { body: chatRequest('one') })).status).toBe(429);
  stage.upstreams.pool.script = chat('pool');
  const answered = await ask(stage.chatURL, { body: chatRequest('two') });
  expect(contentOf(answered)).toBe(markedText('pool', 'two'));
  expect(stage.upstreams.pool.requests.map(keyOf).slice(0, 2).sort()).toEqual(['a', 'b']);
});

it('passes a compressed stream on frame by frame', async () => {
  await using stage = await openStage({
    a: async (exchange) => {
      const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
      const headers = {
        'content-type': 'text/event-stream',
        'transfer-encoding': 'chunked',
        'content-encoding': 'gzip',
      };
      await exchange.send(encodeHead(200, headers));
      gzip.on('data', (chunk: Buffer) => void exchange.send(encodeChunk(chunk)));
      for (const frame of chatFrames('a', exchange.request, {})) {
        gzip.write(frame);
        await exchange.wait(40);
      }
      gzip.end();
      await new Promise((resolve) => gzip.on('end', resolve));
      await exchange.send(lastChunk);
    },
  });
  const response = await fetch(stage.chatURL, {
    method: 'POST',
    body: JSON.stringify(chatRequest('one', { stream: true })),
  });
  const times: number[] = [];
  let text = '';
  for await (const chunk of response.body ?? []) {
    times.push(performance.now());
    text += Buffer.from(chunk).toString();
  }
  expect(streamedContentOf({ text, status: 200, headers: {}, broken: false })).toBe(markedText('a', 'one'));
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(100);
});

it('looks beyond its own route for the disabled backend that returns first', async () => {
  const broken = answer('', { status: 502 });
  await using stage = await openStage(
    { own: broken, spare: broken },
    {
      draft: (usual) => ({
        ...usual,
        routes: [
          route('chat', [ruleInOrder(['own'], { failover: failover({ fallbackRoute: 'default/spare' }) })]),
          route('spare', [
            ruleInOrder(['spare'], { failover: failover({ disable: { failures: 1, windowSeconds: 9, seconds: 5 } }) }),
          ]),
        ],
      }),
    },
  );
  await ask(stage.chatURL, { body: chatRequest('one') });
  // The outer rule decides how long: both are out for as long, and own was first.
  expect((await stage.gateway.state()).backends.map(({ state }) => state)).toEqual(['disabled', 'disabled']);
  stage.upstreams.spare.script = chat('spare');
  const answered = await ask(stage.chatURL, { body: chatRequest('two') });
  expect(answered.headers).toMatchObject({ 'x-sluice-backend': 'spare', 'x-sluice-attempts': '2' });
});

it('resets the connection of an HTTP/1.0 client whose answer breaks, so that it does not look whole', async () => {
  await using stage = await openStage({ a: stopAfter(300, 'end', answer('y'.repeat(1000))) });
  const socket = connect(Number(new URL(stage.gateway.url).port), '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  socket.on('end', () => resolve('a clean end'));
  socket.write('GET /chat/files/1 HTTP/1.0\r\nhost: x\r\n\r\n');
  expect(await promise).toBe('ECONNRESET');
  expect(text).toContain('yyy');
});

it.each(['GET', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'])('relays %s, with failover, as it is', async (method) => {
  await using stage = await openStage({ a: answer('', { status: 500 }), b: answer('hello', { status: 200 }) });
  const answered = await ask(`${stage.gateway.url}/chat/files/f-1`, { method });
  expect([answered.status, answered.headers['x-sluice-backend']]).toEqual([200, 'b']);
  expect(answered.text).toBe(method === 'HEAD' ? '' : 'hello');
  expect(stage.upstreams.b.requests.map((it) => `${it.method} ${it.target}`)).toEqual([`${method} /v1/files/f-1`]);
});

it('refuses a configuration with an address that is none, whole, and keeps the last good', async () => {
  await using stage = await openStage({ a: chat('a') });
  for (const baseURL of ['nonsense', 'ftp://x/', 'http://', '']) {
    const { config, credentials } = configOf({
      providers: [provider('a', baseURL)],
      routes: [route('chat', [rule([backend('a')])])],
    });
    const refusal = stage.gateway.gateway.offer(config, credentials);
    expect(refusal?.reasons.join(' '), baseURL).toMatch(/default\/a/);
    expect((await ask(stage.chatURL, { body: chatRequest('one') })).status).toBe(200);
  }
});

it('blames no backend for a key that no header can carry', async () => {
  await using gateway = await startTestGateway(undefined);
  await using stage = await openStage({ a: chat('a') });
  const { config, credentials } = configOf({
    providers: [provider('a', stage.upstreams.a.baseURL, { credentials: { type: 'KeyPool' } })],
    routes: [route('chat', [rule([backend('a')])])],
    upstreamKeys: [upstreamKey('bad', 'a', 'sk-with\nline'), upstreamKey('good', 'a', 'sk-good')],
  });
  gateway.gateway.offer(config, credentials);
  for (let time = 0; time < 4; time += 1) {
    const answered = await ask(`${gateway.url}/chat`, { body: chatRequest(`${time}`) });
    expect(answered.status).toBe(200);
  }
});
