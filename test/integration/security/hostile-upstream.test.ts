// Rows 5, 13, 20, 21 and 22: an upstream that says too much, too long, or points elsewhere harms nobody but itself.

import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { chat, chatAnswer, chatRequest, markedText } from '../../support/chat.ts';
import { ask, contentOf } from '../../support/client.ts';
import { answer, bytes, inTurn, stream, streamHead } from '../../support/scripts.ts';
import { promptMs, soon } from '../../support/soon.ts';
import { openStage } from '../../support/stage.ts';
import { type Script, startUpstream, type UpstreamRequest } from '../../support/upstream.ts';
import { encodeChunk, encodeHead, lastChunk } from '../../support/upstream-wire.ts';

/** An answer as bytes, in the name of a backend that is not the one that was asked. */
function poison(request: UpstreamRequest): Buffer {
  const body = Buffer.from(JSON.stringify(chatAnswer('poison', request)));
  return Buffer.concat([
    encodeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) }),
    body,
  ]);
}

function honest(request: UpstreamRequest): Buffer {
  const body = Buffer.from(JSON.stringify(chatAnswer('a', request)));
  const fields = { 'content-type': 'application/json', 'content-length': String(body.length) };
  return Buffer.concat([encodeHead(200, fields), body]);
}

describe('an answer that nobody asked for is nobody’s', () => {
  test.each([
    ['with the answer, in one packet', 0],
    ['a moment later, on the idle connection', 20],
  ])('%s', async (_when, afterMs) => {
    const script: Script = async (exchange) => {
      const { request } = exchange;
      const extra = poison(request);
      if (afterMs === 0) return exchange.send(Buffer.concat([honest(request), extra]));
      await exchange.send(honest(request));
      await exchange.wait(afterMs);
      await exchange.send(extra);
    };
    await using stage = await openStage({ a: script });
    for (let time = 0; time < 20; time += 1) {
      const got = await ask(stage.chatURL, { body: chatRequest(`m${time}`) });
      expect(contentOf(got)).toBe(markedText('a', `m${time}`));
      await delay(afterMs * 2);
    }
  });

  test('a second answer in the same chunked body, behind its end', async () => {
    const script: Script = (exchange) => {
      const body = Buffer.from(JSON.stringify(chatAnswer('a', exchange.request)));
      const head = encodeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
      return exchange.send(Buffer.concat([head, encodeChunk(body), lastChunk, poison(exchange.request)]));
    };
    await using stage = await openStage({ a: script });
    for (let time = 0; time < 5; time += 1) {
      expect(contentOf(await ask(stage.chatURL, { body: chatRequest(`m${time}`) }))).toBe(markedText('a', `m${time}`));
    }
  });

  test.each([
    ['two lengths', 'content-length: 5\r\ncontent-length: 400\r\n'],
    ['a length and chunks', 'content-length: 5\r\ntransfer-encoding: chunked\r\n'],
    ['chunks that are none', 'transfer-encoding: chunked, identity\r\n'],
    ['a folded line', 'x: a\r\n b: c\r\ncontent-length: 2\r\n'],
    ['a bare line feed', 'x: a\ncontent-length: 2\r\n'],
    ['a line without a colon', 'oh no\r\ncontent-length: 2\r\n'],
    ['a NUL', 'x: a\0b\r\ncontent-length: 2\r\n'],
  ])('an answer with %s is not believed, or believed alone', async (_name, fields) => {
    const crooked = bytes(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${fields}\r\n{}HTTP/1.1 200 OK\r\n\r\n`,
    );
    // Some are read to the end of their connection, which never comes.
    const timeouts = { idleSeconds: 0.3 };
    await using stage = await openStage({ a: crooked, good: chat('good') }, { rule: { timeouts } });
    const got = await ask(stage.chatURL, { body: chatRequest('one') });
    expect(contentOf(got)).toBe(markedText('good', 'one'));
  });

  test('nor does it reach another provider’s requests', async () => {
    // Two providers at the same address: connections are theirs alone.
    await using stage = await openStage(
      { a: (exchange) => exchange.send(Buffer.concat([honest(exchange.request), poison(exchange.request)])) },
      {
        draft: (usual) => {
          const [first] = usual.providers;
          if (first === undefined) throw new Error('no provider');
          const twin = { ...first, id: 'default/twin' };
          return { ...usual, providers: [first, twin] };
        },
      },
    );
    for (let time = 0; time < 5; time += 1) {
      expect(contentOf(await ask(stage.chatURL, { body: chatRequest(`m${time}`) }))).toBe(markedText('a', `m${time}`));
    }
  });
});

describe('a redirect is not followed', () => {
  test.each([301, 302, 303, 307, 308, 300, 304])('%i', async (status) => {
    await using sink = await startUpstream(chat('sink'));
    const location = [`http://127.0.0.1:${sink.port}/v1/chat/completions`, 'http://169.254.169.254/latest/meta-data/'];
    for (const place of location) {
      const redirect = answer('', { status, headers: { location: place, refresh: `0;url=${place}` } });
      await using stage = await openStage({ a: redirect, good: chat('good') });
      const got = await ask(stage.chatURL, { body: chatRequest('one'), headers: { authorization: 'Bearer CANARY' } });
      expect(got.headers['x-sluice-backend']).toBe('good');
      expect(got.headers['location']).toBeUndefined();
    }
    expect(sink.connectionsTotal).toBe(0);
  });
});

describe('what does not end is ended', () => {
  const whole = 'application/json';
  /** Sends the same bytes until nobody listens. */
  const endless =
    (head: Buffer | string, again: Buffer | string): Script =>
    async (exchange) => {
      let open = true;
      void exchange.closed.then(() => (open = false));
      await exchange.send(head);
      while (open) {
        await exchange.send(again);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
  const kilobytes = (text: string, count = 64): Buffer => Buffer.alloc(count * 1024, text);

  test.each([
    ['a header line', endless('HTTP/1.1 200 OK\r\nx: ', kilobytes('x'))],
    ['headers', endless('HTTP/1.1 200 OK\r\n', 'x-y: z\r\n'.repeat(1000))],
    ['a line of a stream', endless(streamHead(), encodeChunk(kilobytes('data: x')))],
    ['a frame of a stream', endless(streamHead(), encodeChunk('data: x\n'.repeat(8000)))],
    ['comments before any content', endless(streamHead(), encodeChunk(': x\n\n'.repeat(10_000)))],
    [
      'trailers',
      endless(
        `HTTP/1.1 200 OK\r\ncontent-type: ${whole}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n`,
        'x: y\r\n'.repeat(8000),
      ),
    ],
    ['an error that explains itself', endless('HTTP/1.1 500 No\r\n\r\n', kilobytes('x'))],
  ])('%s', async (_name, script) => {
    await using stage = await openStage({ a: script, good: chat('good') });
    const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    expect([got.status, got.headers['x-sluice-backend']]).toEqual([200, 'good']);
    // The connection is closed, not drained.
    await soon(() => stage.upstreams.a.connections, promptMs).toBe(0);
  });

  test.each([
    ['informational answers', endless('', 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(100))],
    ['a status line', endless('HTTP/1.1 200 ', kilobytes('x'))],
    ['a chunk size', endless('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', kilobytes('0'))],
    ['a chunk extension', endless('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;', kilobytes('x'))],
  ])('%s, by the deadline of the answer', async (_name, script) => {
    const timeouts = { responseSeconds: 0.3, firstContentSeconds: 0.3, idleSeconds: 0.3 };
    await using stage = await openStage({ a: script, good: chat('good') }, { rule: { timeouts } });
    const got = await ask(stage.chatURL, { body: chatRequest('one') });
    expect([got.status, got.headers['x-sluice-backend']]).toEqual([200, 'good']);
    await soon(() => stage.upstreams.a.connections, promptMs).toBe(0);
  });
});

describe('what is encoded', () => {
  test.each([
    'gzip, gzip',
    'gzip,'.repeat(100) + 'gzip',
    'gzip, br',
    'compress',
    'zstd',
    'identity, gzip',
    'x'.repeat(9000),
  ])('more than once or in an unknown way (%s) is not an answer', async (encoding) => {
    const body = gzipSync(JSON.stringify({ choices: [] }));
    const script = answer(body, { headers: { 'content-encoding': encoding } });
    await using stage = await openStage({ a: script, good: chat('good') });
    const got = await ask(stage.chatURL, { body: chatRequest('one') });
    expect([got.status, got.headers['x-sluice-backend']]).toEqual([200, 'good']);
  });

  test('[14] reaches the client without its encoding, whatever the client would take', async () => {
    await using stage = await openStage({
      a: (exchange) => answer(chatAnswer('a', exchange.request), { gzip: true })(exchange),
    });
    const headers = { 'accept-encoding': 'gzip' };
    const got = await ask(stage.chatURL, { body: chatRequest('one'), headers });
    expect(contentOf(got)).toBe(markedText('a', 'one'));
    expect(got.headers['content-encoding']).toBeUndefined();
  });
});

describe('a header of an upstream', () => {
  test.each([
    ['a carriage return', 'text/plain\rset-cookie: a=b'],
    ['a control character', 'application/json\u0001'],
    ['bytes above ASCII', 'application/json; x=\u00e9'],
    ['nothing', ''],
    ['much', `application/json; x=${'x'.repeat(4000)}`],
  ])('with %s in it does not fail the request', async (_name, value) => {
    const script: Script = (exchange) => {
      const headers = { 'content-type': value, 'content-language': value, 'x-request-id': value };
      return answer(chatAnswer('a', exchange.request), { headers })(exchange);
    };
    await using stage = await openStage({ a: script, good: chat('good') });
    for (const marker of ['one', 'two']) {
      const got = await ask(stage.chatURL, { body: chatRequest(marker) });
      expect(got.status).toBe(200);
      expect(['a', 'good'].map((name) => markedText(name, marker))).toContain(contentOf(got));
      expect(got.headers['set-cookie']).toBeUndefined();
    }
  });

  test('does not pass if it is not the client’s business, in a stream and in an error either', async () => {
    const fields = {
      'set-cookie': ['a=b', 'c=d'],
      server: 'secret-host',
      via: '1.1 secret-host',
      'x-envoy-upstream-service-time': '1',
      'x-sluice-backend': 'forged',
      'x-sluice-route': 'forged',
      'x-should-retry': 'true',
      'access-control-allow-origin': '*',
      'strict-transport-security': 'max-age=1',
      'alt-svc': 'h3=":443"',
      'proxy-authenticate': 'Basic',
      connection: 'x-sluice-route, set-cookie',
      trailer: 'x',
    };
    const scripts: Script[] = [
      answer({ error: { message: 'no', type: 'invalid_request_error' } }, { status: 400, headers: fields }),
      (exchange) => chat('a', { headers: fields })(exchange),
    ];
    for (const [index, script] of scripts.entries()) {
      await using stage = await openStage({ a: inTurn(script) });
      const { headers } = await ask(stage.chatURL, { body: chatRequest('one', { stream: index === 1 }) });
      for (const name of Object.keys(fields)) {
        if (name === 'connection') continue;
        const own = { 'x-sluice-backend': 'a', 'x-sluice-route': 'default/chat', 'x-should-retry': 'false' }[name];
        expect([undefined, own], name).toContain(headers[name]);
      }
    }
  });
});

test('a stream that names another event’s end inside its data does not end it', async () => {
  const frames = (request: UpstreamRequest): string[] => {
    const content = 'x\n\ndata: [DONE]\n\nevent: error\ndata: {}\n\n';
    const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: request.json['model'] };
    const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }];
    const finish = [{ index: 0, delta: {}, finish_reason: 'stop' }];
    return [
      { ...chunk, choices },
      { ...chunk, choices: finish },
    ].map((data) => `data: ${JSON.stringify(data)}\n\n`);
  };
  await using stage = await openStage({
    a: (exchange) => stream([...frames(exchange.request), 'data: [DONE]\n\n'])(exchange),
  });
  const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
  expect(got.text.match(/^data: \[DONE\]$/gm)).toHaveLength(1);
  expect(got.text).not.toMatch(/^event: error$/m);
});
