// What holds for any pair of protocols: checked for a client of each vendor, in front of an upstream that speaks OpenAI's
// chat completions.

import { describe, expect, it } from 'vitest';
import { chat, markedText } from '../../support/chat.ts';
import { ask, type PlainAnswer } from '../../support/client.ts';
import { provider, upstreamKey } from '../../support/config.ts';
import { answer, byteByByte, stream } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';
import { askAs, type ChatFace, faces } from '../../support/three-clients.ts';
import type { Script } from '../../support/upstream.ts';
import { encodeChunk, encodeHead, lastChunk } from '../../support/upstream-wire.ts';

const text = 'größer 😀 ok';
const head = '"id":"c1","object":"chat.completion.chunk","created":1,"model":"m"';
const choice = (delta: object, finish: string | null = null): string =>
  `"choices":${JSON.stringify([{ index: 0, delta, finish_reason: finish }])}`;
const event = (members: string): string => `data: {${head},${members}}\n\n`;
const words = ['größer ', '😀 ', 'ok'].map((content) => event(choice({ content })));
const role = event(choice({ role: 'assistant', content: '' }));
const finish = event(choice({}, 'stop'));
const done = 'data: [DONE]\n\n';
const usual = [role, ...words, finish, done];

/** Sends every piece as a chunk of its own. */
function pieces(frames: readonly string[]): Script {
  return async (exchange) => {
    const type = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' };
    await exchange.send(encodeHead(200, type));
    for (const frame of frames) {
      await exchange.send(encodeChunk(frame));
      await exchange.wait(1);
    }
    await exchange.send(lastChunk);
  };
}

const asLines = (end: string): string[] => usual.map((frame) => frame.replaceAll('\n', end));

const streams: readonly (readonly [string, Script])[] = [
  ['[1] [2] that comes byte by byte', byteByByte(stream(usual))],
  ['[3] with CRLF', pieces(asLines('\r\n'))],
  ['[3] with CR', pieces(asLines('\r'))],
  ['[3] with CR and LF in different chunks', pieces(asLines('\r\n').flatMap((frame) => frame.split(/(?<=\r)(?=\n)/)))],
  ['[4] with events of two lines', pieces(usual.map((frame) => frame.replace(`,"choices"`, `,\ndata: "choices"`)))],
  ['[5] with comments', pieces(usual.flatMap((frame) => [': keep-alive\n\n', ': OPENROUTER PROCESSING\n\n', frame]))],
  ['[6] without its marker of the end', pieces([role, ...words, finish])],
  ['[8] without the last blank line', pieces([role, ...words, finish.trimEnd()])],
];

describe.each(faces)('a client of $name', (face) => {
  it.each(streams)('%s: a stream is what it is, and ends well', async (_name, script) => {
    await using stage = await openStage({ a: script });
    const got = await askAs(face, stage.gateway.url, 'one', true);
    expect([got.status, got.broken, face.textOf(got)]).toEqual([200, false, text]);
    expect(got.text).not.toMatch(/\ufffd|"error"/);
    // What is no data for a client must not be read as such: comments are, and nothing else.
    for (const line of got.text.split(/\r\n|\r|\n/)) expect(line).toMatch(/^(?:$|:|data: ?|event: |\{)/);
    expect(got.text.replaceAll(/^:.*$/gm, '')).not.toContain('PROCESSING');
  });

  it('[1] an answer byte by byte has the same events', async () => {
    const answers: PlainAnswer[] = [];
    for (const script of [stream(usual), byteByByte(stream(usual))]) {
      await using stage = await openStage({ a: script });
      answers.push(await askAs(face, stage.gateway.url, 'one', true));
    }
    const [whole, cut] = answers.map((got) => got.text.replaceAll(/"(?:created_at|\w+_duration)":[^,}]+/g, ''));
    expect(cut).toBe(whole);
  });

  it('[9] is told of a request that the upstream refuses by a status, in its own form', async () => {
    const error = { message: 'no such voice', type: 'invalid_request_error', param: 'voice', code: null };
    await using stage = await openStage({ a: answer({ error }, { status: 400 }) });
    for (const streamed of [false, true]) {
      const got = await askAs(face, stage.gateway.url, 'one', streamed);
      expect([got.status, got.headers['content-type']]).toEqual([400, 'application/json']);
      expect(face.errorOf(got)).toContain('no such voice');
    }
  });

  it('[10] is told of an error that is the first event by a status', async () => {
    const error = { message: 'The engine is overloaded', type: 'server_error', code: 503 };
    await using stage = await openStage({ a: stream([`data: ${JSON.stringify({ error })}\n\n`]) });
    const got = await askAs(face, stage.gateway.url, 'one', true);
    expect(got.status).toBeGreaterThanOrEqual(500);
    expect(face.errorOf(got)).not.toBe('');
  });

  it('[15] [16] gets a stream as it comes, and types that say what it is', async () => {
    await using stage = await openStage({ a: chat('a', { gapMs: 100, words: 4 }) });
    const whole = await askAs(face, stage.gateway.url, 'one', false);
    expect(whole.headers['content-type']).toBe('application/json');
    const begun = performance.now();
    const response = await fetch(stage.gateway.url + face.path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify(face.body('one', true)),
    });
    expect(response.headers.get('content-type')).toBe(face.streamType);
    expect(response.headers.get('cache-control')).toBe('no-cache');
    const arrivedMs: number[] = [];
    for await (const chunk of response.body ?? []) if (chunk.length > 0) arrivedMs.push(performance.now() - begun);
    // The upstream takes half a second for its frames: none of them waits for the last.
    expect((arrivedMs.at(-1) ?? 0) - (arrivedMs[0] ?? 0)).toBeGreaterThan(150);
    expect(arrivedMs.length).toBeGreaterThan(3);
  });

  it('[18] hears when to come back, also where only the body says so', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '22s' }];
    const error = { code: 429, message: 'Resource has been exhausted', status: 'RESOURCE_EXHAUSTED', details };
    for (const script of [
      answer({ error }, { status: 429 }),
      answer({ error: { message: 'slow down' } }, { status: 429, headers: { 'retry-after': '22' } }),
    ]) {
      await using stage = await openStage({ a: script });
      const got = await askAs(face, stage.gateway.url, 'one', false);
      expect([got.status, got.headers['retry-after']]).toEqual([429, '22']);
    }
  });

  it('[21] is told that its body is too large, in its own form', async () => {
    await using stage = await openStage({ a: chat('a') });
    const got = await askAs(face, stage.gateway.url, 'x'.repeat(33 * 1024 * 1024), false);
    expect([got.status, stage.upstreams.a.requests.length]).toEqual([413, 0]);
    expect(face.errorOf(got)).toContain('too large');
  });

  it('[23] gets the id of its request, under the name that it knows', async () => {
    await using stage = await openStage({ a: chat('a') });
    const name = face.name === 'anthropic' ? 'request-id' : 'x-request-id';
    for (const streamed of [false, true]) {
      const got = await askAs(face, stage.gateway.url, 'one', streamed);
      expect(got.headers[name]).toBe(got.headers['x-request-id']);
      expect(got.headers[name]).toMatch(/\S/);
    }
    stage.upstreams.a.script = answer({}, { status: 500 });
    expect((await askAs(face, stage.gateway.url, 'one', false)).headers[name]).toMatch(/\S/);
  });

  it.each([401, 403])('[24] never hears of a %i that is about our key, nor the key', async (status) => {
    const key = 'sk-CANARY-upstream';
    const refusal = answer({ error: { message: `Incorrect API key provided: ${key}` } }, { status });
    const credentials = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;
    await using stage = await openStage(
      { a: refusal },
      {
        draft: (draft) => ({
          ...draft,
          providers: draft.providers.map(({ baseURL }) => provider('a', baseURL, { credentials })),
          upstreamKeys: [upstreamKey('k', 'a', key)],
        }),
      },
    );
    for (const streamed of [false, true]) {
      const got = await askAs(face, stage.gateway.url, 'one', streamed);
      expect(got.status).toBeGreaterThanOrEqual(429);
      expect(JSON.stringify(got)).not.toContain('CANARY');
    }
  });

  it('[27] shares its streams with nobody', async () => {
    await using stage = await openStage({ a: chat('a', { gapMs: 5 }), b: chat('b', { gapMs: 3 }) });
    const markers = Array.from({ length: 20 }, (_, index) => `m${index}`);
    const answers = await Promise.all(markers.map((marker) => askAs(face, stage.gateway.url, marker, true)));
    for (const [index, got] of answers.entries()) {
      expect(face.textOf(got)).toBe(markedText(got.headers['x-sluice-backend'] ?? '', markers[index] ?? ''));
    }
    if (face.name === 'ollama') return;
    const ids = answers.map((got) => /"id":"([^"]+)"/.exec(got.text)?.[1]);
    expect(new Set(ids).size).toBe(markers.length);
  });
});

const wrong: readonly (readonly [string, string, Parameters<typeof ask>[1], number])[] = [
  ['no JSON', '', { body: '{"model":' }, 400],
  ['another method', '', { method: 'PATCH', body: {} }, 405],
  ['another path', '/nothing/here', { body: {} }, 404],
];

describe.each(faces)('a mistake of a client of $name', (face: ChatFace) => {
  it.each(wrong)('[20] is told in its own form: %s', async (_name, behind, request, status) => {
    await using stage = await openStage({ a: chat('a') });
    const headers = { 'anthropic-version': '2023-06-01', 'content-type': 'application/json' };
    const path = behind === '' ? face.path : face.path.replace(/\/[^/]+$/, behind);
    const got = await ask(stage.gateway.url + path, {
      ...request,
      headers: face.name === 'anthropic' ? headers : { 'content-type': 'application/json' },
    });
    expect(got.status).toBe(status);
    expect(face.errorOf(got)).not.toBe('');
  });
});
