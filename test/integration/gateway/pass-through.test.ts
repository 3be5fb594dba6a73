// Between a client and an upstream of one protocol bytes stay bytes; of headers only those pass that are meant for the other.

import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { chat, chatFrames, chatRequest, chunkFrame, doneFrame, roleFrame } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { backend } from '../../support/config.ts';
import { answer, byteByByte, bytes, stream } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';
import { type AnswerFields, encodeChunk, encodeHead, lastChunk } from '../../support/upstream-wire.ts';

// Odd spacing, escapes, a huge integer, a repeated member further down: what parsing and printing again would change.
const oddBody = `{ "temperature":1.0e0,"messages" : [{"role":"user","content":"\\u00e9\\/ \\ud83d\\ude00 é"}],\r\n\t"seed":12345678901234567890,
  "vendor_thing": {"a" :[1 , 2,{"model":"inner"}], "":null} , "stream":false}`;

it('[19] passes the body of a request on byte by byte where nothing is to be changed', async () => {
  await using stage = await openStage({ a: chat('a') });
  await ask(stage.chatURL, { body: oddBody });
  expect(stage.upstreams.a.requests[0]?.body.toString()).toBe(oddBody);
});

it('[19] changes nothing but the model where the backend has its own', async () => {
  await using stage = await openStage({ a: chat('a') }, { rule: { backends: [backend('a', { model: 'its-own' })] } });
  await ask(stage.chatURL, { body: `{"model" : "mine",${oddBody.slice(1)}` });
  expect(stage.upstreams.a.requests[0]?.body.toString()).toBe(`{"model" : "its-own",${oddBody.slice(1)}`);
});

it('puts the model of the backend into a body that names none', async () => {
  await using stage = await openStage({ a: chat('a') }, { rule: { backends: [backend('a', { model: 'its-own' })] } });
  await ask(stage.chatURL, { body: oddBody });
  const received = stage.upstreams.a.requests[0]?.body.toString() ?? '';
  expect(JSON.parse(received)).toEqual({ ...(JSON.parse(oddBody) as object), model: 'its-own' });
  expect(received.replace(/,?\s*"model":"its-own"/, '')).toBe(oddBody);
});

it('[30] asks for usage in a stream, and keeps the other stream options', async () => {
  await using stage = await openStage({ a: chat('a') });
  const body = '{"stream":true, "stream_options" : {"include_obfuscation":false},"messages":[{"content":"x"}]}';
  const { text } = await ask(stage.chatURL, { body });
  expect(stage.upstreams.a.requests[0]?.body.toString()).toBe(
    '{"stream":true, "stream_options" : {"include_obfuscation":false,"include_usage":true},"messages":[{"content":"x"}]}',
  );
  expect(text).not.toContain('"usage"');
});

it('sets and removes what the backend says, and nothing else', async () => {
  const parameters = { set: { temperature: 0.5, safe: true }, remove: ['seed'] };
  await using stage = await openStage({ a: chat('a') }, { rule: { backends: [backend('a', { parameters })] } });
  await ask(stage.chatURL, { body: '{"seed":1,"temperature":2, "top_p":1}' });
  expect(JSON.parse(stage.upstreams.a.requests[0]?.body.toString() ?? '')).toEqual({
    temperature: 0.5,
    safe: true,
    top_p: 1,
  });
});

it('[28] [62] passes a whole answer on byte by byte, with fields that nobody knows', async () => {
  const body =
    '{ "choices":[{"index":0,"message":{"role":"assistant","content":"\\u00e9"},"finish_reason":"stop"}],\n "x":1.0 }\n';
  await using stage = await openStage({ a: answer(body) });
  expect((await ask(stage.chatURL, { body: chatRequest('one') })).text).toBe(body);
});

it.each(['gzip', 'chunked', 'close'] as const)(
  '[14] passes the same on from an answer that comes as %s',
  async (way) => {
    const content = randomBytes(50_000).toString('base64');
    const body = JSON.stringify({ choices: [{ index: 0, message: { content }, finish_reason: 'stop' }] });
    await using stage = await openStage({
      a: answer(body, way === 'gzip' ? { gzip: true } : { framing: way }),
    });
    const got = await ask(stage.chatURL, { body: chatRequest('one') });
    expect(got.text).toBe(body);
    expect(got.headers['content-encoding']).toBeUndefined();
    expect(got.headers['content-length']).toBe(String(body.length));
  },
);

it('[29] passes the frames of a stream on as they are: comments, odd line ends, unknown fields and events', async () => {
  const choice = '"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null,"vendor":{"x":1.0}}]';
  const frames = [
    ': a comment\n\n',
    `data:{${choice}}\r\n\r\n`,
    `id: 7\nretry: 10\ndata: {"object":"chat.completion.chunk",${choice} }\n\n`,
    `data: {\ndata: ${choice}}\n\n`,
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    doneFrame,
  ];
  await using stage = await openStage({ a: stream(frames) });
  const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
  expect(got.text).toBe(frames.join(''));
  expect(got.headers['content-type']).toBe('text/event-stream');
});

it('passes the same stream on however its bytes are cut', async () => {
  await using stage = await openStage({
    a: byteByByte((exchange) => stream(chatFrames('a', exchange.request, {}))(exchange)),
  });
  const body = chatRequest('ü', { stream: true, stream_options: { include_usage: true } });
  const got = await ask(stage.chatURL, { body });
  expect(got.text).toBe(chatFrames('a', stage.upstreams.a.requests[0]!, {}).join(''));
});

it('[16] passes a stream on frame by frame as it comes', async () => {
  await using stage = await openStage({ a: chat('a', { gapMs: 60, words: 4 }) });
  const response = await fetch(stage.chatURL, {
    method: 'POST',
    body: JSON.stringify(chatRequest('one', { stream: true })),
  });
  const arrivedAtMs: number[] = [];
  for await (const chunk of response.body ?? []) if (chunk.length > 0) arrivedAtMs.push(performance.now());
  expect(arrivedAtMs.length).toBeGreaterThanOrEqual(5);
  expect((arrivedAtMs.at(-1) ?? 0) - (arrivedAtMs[0] ?? 0)).toBeGreaterThan(150);
});

it('[6] passes a stream that ends with its finish but without [DONE]', async () => {
  await using stage = await openStage({
    a: (exchange) => stream(chatFrames('a', exchange.request, {}).slice(0, -1))(exchange),
  });
  const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
  expect(got.broken).toBe(false);
  expect(got.text).toMatch(/"finish_reason":"stop"\}\]\}\n\n$/);
});

it.each([
  ['text/plain; charset=utf-8', 'text/plain; charset=utf-8'],
  ['Text/Event-Stream', 'Text/Event-Stream'],
  [undefined, 'text/event-stream'],
])('takes a stream for one that calls itself %s', async (type, told) => {
  await using stage = await openStage({
    a: async (exchange) => {
      const headers = { 'transfer-encoding': 'chunked', ...(type === undefined ? {} : { 'content-type': type }) };
      const frames = chatFrames('a', exchange.request, {});
      await exchange.send(Buffer.concat([encodeHead(200, headers), ...frames.map(encodeChunk), lastChunk]));
    },
    b: chat('b'),
  });
  const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
  expect([got.headers['x-sluice-backend'], got.headers['content-type']]).toEqual(['a', told]);
  expect(got.text).toContain('[DONE]');
});

it.each([undefined, 'text/plain', 'text/html', 'application/json'])(
  'takes no page for a stream, even if it calls itself %s',
  async (type) => {
    const page = '<html>\n\n<body>Sign in to the network</body>\n\n</html>\n\n';
    const headers = { 'content-length': String(page.length), ...(type === undefined ? {} : { 'content-type': type }) };
    await using stage = await openStage({
      a: bytes(Buffer.concat([encodeHead(200, headers), Buffer.from(page)])),
      b: chat('b'),
    });
    const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
    expect(got.headers['x-sluice-backend']).toBe('b');
    expect(got.text).not.toContain('Sign in');
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'disabled' });
  },
);

it('drops one malformed frame amid good ones', async () => {
  await using stage = await openStage({
    a: ({ request, ...rest }) => {
      const [role = '', ...frames] = chatFrames('a', request, {});
      return stream([role, 'data: {"choi\n\n', ...frames])({ request, ...rest });
    },
  });
  const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
  expect(got.text).toBe(
    chatFrames('a', stage.upstreams.a.requests[0]!, {})
      .filter((frame) => !frame.includes('"usage"'))
      .join(''),
  );
  expect(await stage.gateway.metrics()).toMatch(/malformed_frames_total\{route="default\/chat",backend="a"\} 1/);
});

it('passes an answer larger than what it holds back', async () => {
  const content = 'x'.repeat(12 * 1024 * 1024);
  const body = JSON.stringify({ choices: [{ index: 0, message: { content }, finish_reason: 'stop' }] });
  await using stage = await openStage({ a: answer(body, { framing: 'chunked' }) });
  const got = await ask(stage.chatURL, { body: chatRequest('one') });
  expect(got.text.length).toBe(body.length);
  expect(got.text === body).toBe(true);
});

it('relays operations that it does not know with their query, body and answer as they are', async () => {
  await using stage = await openStage({
    a: answer(Buffer.from([0, 1, 2, 255]), { status: 201, headers: { 'content-type': 'audio/wav' } }),
  });
  const base = stage.chatURL.replace('/chat/completions', '');
  const got = await fetch(`${base}/audio/speech?voice=a&x=%20`, { method: 'POST', body: Buffer.from([9, 0, 9]) });
  expect([got.status, got.headers.get('content-type')]).toEqual([201, 'audio/wav']);
  expect([...new Uint8Array(await got.arrayBuffer())]).toEqual([0, 1, 2, 255]);
  expect(stage.upstreams.a.requests[0]).toMatchObject({ method: 'POST', target: '/v1/audio/speech?voice=a&x=%20' });
  expect([...(stage.upstreams.a.requests[0]?.body ?? [])]).toEqual([9, 0, 9]);
});

it('[17] lets only those request headers pass that an upstream is meant to see', async () => {
  await using stage = await openStage({ a: chat('a') });
  await ask(stage.chatURL, {
    body: chatRequest('one'),
    headers: {
      authorization: 'Bearer sk-client',
      'x-api-key': 'sk-client',
      'api-key': 'sk-client',
      cookie: 'session=client',
      'x-forwarded-for': '10.0.0.1',
      'x-tenant': 'other',
      'openai-organization': 'org-other',
      'openai-project': 'proj-other',
      'accept-encoding': 'gzip',
      'user-agent': 'my-app/1.0',
      'openai-beta': 'assistants=v2',
      'idempotency-key': 'abc',
    },
  });
  const { headers } = stage.upstreams.a.requests[0]!;
  expect(headers).toMatchObject({
    'user-agent': 'my-app/1.0 sluice',
    'openai-beta': 'assistants=v2',
    'idempotency-key': 'abc',
    'accept-encoding': 'identity',
  });
  expect(Object.keys(headers).sort()).toEqual([
    'accept',
    'accept-encoding',
    'connection',
    'content-length',
    'content-type',
    'host',
    'idempotency-key',
    'openai-beta',
    'user-agent',
  ]);
});

it('[17] [65] lets only those response headers pass that are the client’s business', async () => {
  await using stage = await openStage({
    a: hello({
      'set-cookie': ['a=b', 'c=d'],
      server: 'secret-host',
      'x-ratelimit-remaining-requests': '5',
      'x-request-id': 'req-upstream',
      'openai-organization': 'org-of-the-key',
      'content-language': 'de',
      'cf-ray': 'x',
    }),
  });
  const { headers } = await ask(stage.chatURL, { body: chatRequest('one') });
  expect(headers['x-upstream-request-id']).toBe('req-upstream');
  expect(headers['x-request-id']).not.toBe('req-upstream');
  expect(headers['content-language']).toBe('de');
  for (const name of ['set-cookie', 'server', 'x-ratelimit-remaining-requests', 'openai-organization', 'cf-ray']) {
    expect(headers[name], name).toBeUndefined();
  }
});

function hello(headers: AnswerFields): Script {
  const choices = [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }];
  return answer({ choices }, { headers });
}

it('takes no further answer from a connection that had said too much', async () => {
  const second = answer({ choices: [{ index: 0, message: { content: 'poisoned' }, finish_reason: 'stop' }] });
  await using stage = await openStage({
    a: async (exchange) => {
      await chat('a')(exchange);
      if (exchange.request.number > 1) return;
      await second(exchange);
    },
  });
  for (const marker of ['one', 'two', 'three']) {
    const { text } = await ask(stage.chatURL, { body: chatRequest(marker) });
    expect(text).toContain(`a~${marker}~0`);
    expect(text).not.toContain('poisoned');
  }
});

it('is not confused by an informational answer before the answer', async () => {
  await using stage = await openStage({
    a: async (exchange) => {
      await exchange.send(encodeHead(103, { link: '</x>' }));
      await chat('a')(exchange);
    },
  });
  const got = await ask(stage.chatURL, { body: chatRequest('one') });
  expect([got.status, got.text.includes('a~one~0')]).toEqual([200, true]);
});

it('passes trailers over without taking them for content', async () => {
  await using stage = await openStage({
    a: (exchange) =>
      bytes(
        Buffer.concat([
          encodeHead(200, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' }),
          encodeChunk(roleFrame(exchange.request)),
          encodeChunk(chunkFrame(exchange.request, { choices: [{ index: 0, delta: { content: 'a' } }] })),
          encodeChunk(chunkFrame(exchange.request, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })),
          lastChunk.subarray(0, 3),
          Buffer.from('x-checksum: 1\r\n\r\n'),
        ]),
      )(exchange),
  });
  const got = await ask(stage.chatURL, { body: chatRequest('one', { stream: true }) });
  expect([got.broken, got.text.includes('"content":"a"'), got.text.includes('checksum')]).toEqual([false, true, false]);
});
