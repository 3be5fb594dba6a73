// Row 12: whatever the framing of a request, an upstream sees at most the one request that the gateway took, framed anew,
// and never one that hid in another. The parser's own corpus is in ../ingress; here the upstream counts.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { openStage, type Stage } from '../../support/stage.ts';
import { openRaw, sendRaw } from '../ingress/rig.ts';

const hidden = JSON.stringify(chatRequest('HIDDEN'));
const body = JSON.stringify(chatRequest('seen'));
const path = '/chat/chat/completions';
const json = 'Host: a\r\nContent-Type: application/json\r\n';
const post = `POST ${path} HTTP/1.1\r\n${json}`;
const smuggled = `${post}Content-Length: ${hidden.length}\r\n\r\n${hidden}`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const chunked = `${chunk(body)}0\r\n\r\n`;

/** Two readers could disagree about each of these. `most` is how many requests an upstream may see of it. */
const corpus: readonly (readonly [name: string, bytes: string, most?: number])[] = [
  ['CL.TE', `${post}Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['CL.TE, whole', `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE.CL', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunk(smuggled)}0\r\n\r\n`],
  ['TE.TE by case', `${post}Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n${chunked}${smuggled}`],
  [
    'TE.TE, the second unknown',
    `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ['TE in a list', `${post}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE with a tab', `${post}Transfer-Encoding:\tchunked\r\nContent-Length: 4\r\n\r\n${chunk(smuggled)}0\r\n\r\n`],
  ['TE behind a vertical tab', `${post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE with a NUL', `${post}Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE before a space and a colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE in a folded line', `${post}X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE behind a bare CR', `${post}X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE behind a bare LF', `${post}X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  [
    'TE with an underscore',
    `${post}Transfer_Encoding: chunked\r\nContent-Length: ${smuggled.length + 5}\r\n\r\n0\r\n\r\n${smuggled}`,
    1,
  ],
  ['TE on HTTP/1.0', `POST ${path} HTTP/1.0\r\n${json}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['two lengths', `${post}Content-Length: ${body.length}\r\nContent-Length: 0\r\n\r\n${body}${smuggled}`],
  ['two lengths in one', `${post}Content-Length: ${body.length}, 0\r\n\r\n${body}${smuggled}`],
  [
    'two equal lengths',
    `${post}Content-Length: ${body.length}\r\nContent-Length: ${body.length}\r\n\r\n${body}${smuggled}`,
  ],
  ['a length with a plus', `${post}Content-Length: +${body.length}\r\n\r\n${body}${smuggled}`],
  ['a negative length', `${post}Content-Length: -1\r\n\r\n${body}${smuggled}`],
  ['a length in hex', `${post}Content-Length: 0x10\r\n\r\n${body}${smuggled}`],
  ['a length with a space inside', `${post}Content-Length: 1 0\r\n\r\n${body}${smuggled}`],
  ['a length with an underscore', `${post}Content-Length: 1_0\r\n\r\n${body}${smuggled}`],
  ['a length before a space and a colon', `${post}Content-Length : 0\r\n\r\n${smuggled}`],
  ['a length behind a bare LF', `${post}X: y\nContent-Length: 0\r\n\r\n${smuggled}`],
  ['a chunk size beyond 64 bits', `${post}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n${smuggled}`],
  ['a chunk size with a sign', `${post}Transfer-Encoding: chunked\r\n\r\n-1\r\n${smuggled}0\r\n\r\n`],
  [
    'a chunk extension that ends at a bare LF',
    `${post}Transfer-Encoding: chunked\r\n\r\n2;x\nab\r\n0\r\n\r\n${smuggled}`,
  ],
  ['a chunk that ends elsewhere', `${post}Transfer-Encoding: chunked\r\n\r\n3\r\nab\r\n0\r\n\r\n${smuggled}`],
  ['a chunk that ends at a bare LF', `${post}Transfer-Encoding: chunked\r\n\r\n2\r\nab\n0\r\n\r\n${smuggled}`],
  [
    'a trailer with a length',
    `${post}Transfer-Encoding: chunked\r\n\r\n${chunk(body)}0\r\nContent-Length: 9\r\n\r\n${smuggled}`,
  ],
  ['a second Host', `${post}Host: b\r\nContent-Length: ${body.length}\r\n\r\n${body}${smuggled}`],
  ['no line end but LF', `${post}Content-Length: 0\r\n\r\n${smuggled}`.replaceAll('\r\n', '\n')],
  ['a method with a NUL', `POST\0 ${path} HTTP/1.1\r\n${json}Content-Length: 0\r\n\r\n${smuggled}`],
  [
    'an upgrade to h2c',
    `${post}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    1,
  ],
  ['the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`],
  ['a tunnel', `CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n${smuggled}`],
  [
    'a connection that is to be the last',
    `${post}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}${smuggled}`,
    1,
  ],
  [
    'a GET with a body that says nothing of it',
    `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${smuggled}`,
  ],
  ['an expectation of two kinds', `${post}Expect: 100-continue, x\r\nContent-Length: 0\r\n\r\n${smuggled}`],
];

let stage: Stage<'a'>;
let port = 0;
beforeAll(async () => {
  stage = await openStage({ a: chat('a') });
  port = Number(new URL(stage.gateway.url).port);
});
afterAll(() => stage[Symbol.asyncDispose]());
beforeEach(() => stage.upstreams.a.forget());

const cases = corpus.map(([name, bytes, most = 0]) => ({ name, bytes, most }));

test.each(cases)('$name: what is hidden reaches no upstream', async ({ bytes, most }) => {
  const { a } = stage.upstreams;
  const answered = await sendRaw(port, Buffer.from(bytes, 'latin1'), 1000);
  expect(answered.closed || most > 0).toBe(true);
  expect(a.requests.map((request) => request.body.toString()).filter((text) => text.includes('HIDDEN'))).toEqual([]);
  expect(a.requests.length).toBeLessThanOrEqual(most);
});

test('every split of an ambiguous request over packets is refused alike', async () => {
  const bytes = `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`;
  for (let at = 1; at < bytes.length; at += 37) {
    await using client = await openRaw(port);
    client.write(bytes.slice(0, at));
    await new Promise((resolve) => setImmediate(resolve));
    client.write(bytes.slice(at));
    expect((await client.closed()).statuses).toEqual([400]);
  }
  expect(stage.upstreams.a.requests).toHaveLength(0);
});

test('of what is framed in order, an upstream sees a framing of the gateway’s own', async () => {
  const { a } = stage.upstreams;
  const trailers = 'X-Trailer: 1\r\nAuthorization: Bearer other\r\n';
  const sent = `${post}Transfer-Encoding: chunked\r\nTrailer: x-trailer\r\nTE: trailers\r\nConnection: close\r\n\r\n`;
  const answered = await sendRaw(
    port,
    `${sent}${body.length.toString(16)};name=value\r\n${body}\r\n0\r\n${trailers}\r\n`,
  );
  expect(answered.statuses).toEqual([200]);
  const [request, ...others] = a.requests;
  expect(others).toEqual([]);
  expect(request?.body.toString()).toBe(body);
  const names = request?.rawFields.map(([name]) => name.toLowerCase()) ?? [];
  expect(names.filter((name) => name === 'content-length')).toHaveLength(1);
  expect(
    names.filter((name) =>
      ['transfer-encoding', 'te', 'trailer', 'x-trailer', 'upgrade', 'authorization'].includes(name),
    ),
  ).toEqual([]);
});

test('requests that follow each other on one connection stay apart, and in their order', async () => {
  await using client = await openRaw(port);
  const bodies = ['one', 'two', 'three'].map((marker) => JSON.stringify(chatRequest(marker)));
  client.write(bodies.map((text) => `${post}Content-Length: ${text.length}\r\n\r\n${text}`).join(''));
  await client.until(/a~three~4/);
  expect(stage.upstreams.a.requests.map((request) => request.body.toString())).toEqual(bodies);
  expect([...client.text().matchAll(/a~(\w+)~0/g)].map(([, marker]) => marker)).toEqual(['one', 'two', 'three']);
});
