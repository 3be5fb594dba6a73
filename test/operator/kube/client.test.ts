import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubeCall } from '../../../operator/kube/client.ts';
import { isKubeError, KubeError } from '../../../operator/kube/kube-error.ts';
import { eventually } from '../../support/eventually.ts';
import { answering, clientOf, startScriptedServer, type ScriptedServer, type TestClient } from './scripted-server.ts';

let server: ScriptedServer;
let made: TestClient;

beforeEach(async () => {
  server = await startScriptedServer();
  made = clientOf(server);
});

afterEach(async () => {
  await made[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const pods: KubeCall = { method: 'GET', path: '/api/v1/pods' };

/** The error that a call ends with. */
async function failureOf(call: Promise<unknown>): Promise<KubeError> {
  const error = await failed(call);
  if (!(error instanceof KubeError)) throw new Error(`it did not fail so: ${String(error)}`);
  return error;
}

function failed(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

/** Everything that could be logged of an error. */
function textOf(error: unknown): string {
  const seen: string[] = [];
  for (let it = error; it instanceof Error; it = it.cause) seen.push(String(it.stack), JSON.stringify(it), it.message);
  return seen.join('\n');
}

describe('a call', () => {
  test('sends its query escaped and its body as JSON, and says who asks', async () => {
    made = clientOf(server, () => Promise.resolve({ headers: { Authorization: 'Bearer x' }, tls: {} }));
    const query = {
      labelSelector: 'a=b,c in (d,é)',
      fieldSelector: 'metadata.name=x&y=z#+ ',
      limit: 5,
      watch: false,
      continue: undefined,
    };
    await made.client.call({ method: 'POST', path: '/api/v1/pods', query, body: { a: 'ü' } });
    const [{ method, url, headers, body } = { url: '' } as never] = server.received;
    const parsed = new URL(url, server.url);
    expect([method, parsed.pathname, body]).toEqual(['POST', '/api/v1/pods', '{"a":"ü"}']);
    expect(Object.fromEntries(parsed.searchParams)).toEqual({
      labelSelector: 'a=b,c in (d,é)',
      fieldSelector: 'metadata.name=x&y=z#+ ',
      limit: '5',
      watch: 'false',
    });
    expect(headers).toMatchObject({
      authorization: 'Bearer x',
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'sluice-operator/test',
    });
  });

  test('without a body says nothing of a type', async () => {
    await made.client.call(pods);
    expect(server.received[0]?.headers).not.toHaveProperty('content-type');
  });

  test('goes over connections that are there already', async () => {
    for (let count = 0; count < 50; count += 1) await made.client.call(pods);
    expect(server.connectionsMade).toBeLessThanOrEqual(2);
    await Promise.all(Array.from({ length: 50 }, () => made.client.call(pods)));
    await Promise.all(Array.from({ length: 50 }, () => made.client.call(pods)));
    expect(server.connectionsMade).toBeLessThanOrEqual(60);
    expect(made.ended).toHaveLength(150);
  });

  test('goes over a connection that was reset while it was idle, or says that it did not', async () => {
    await made.client.call(pods);
    server.reset();
    await eventually(() => server.connectionsOpen === 0);
    await delay(20);
    await made.client.call(pods);
    expect(server.connectionsMade).toBe(2);
  });

  test.each([
    [403, 'Forbidden'],
    [404, 'NotFound'],
    [409, 'Conflict'],
    [410, 'Expired'],
    [429, 'TooManyRequests'],
    [422, 'Invalid'],
    [503, ''],
  ])('that is answered with a %i fails with it, without its body', async (status, reason) => {
    server.answer = answering(status, '<html>CANARY</html>');
    const error = await failureOf(made.client.call(pods));
    expect([error.status, error.reason]).toEqual([status, reason]);
    expect(textOf(error)).not.toContain('CANARY');
    expect(error.message).toContain(`GET /api/v1/pods answered ${status}`);
  });

  test.each([
    ['cut short', '{"data":{"key":"CANARY'],
    ['a page', 'CANARY<html>'],
    ['damaged', '{"data":{"key":"CANARY" "CANARY"}}'],
    ['empty', ''],
  ])('whose 200 is %s fails without a word of it', async (_what, body) => {
    server.answer = answering(200, body);
    const error = await failureOf(made.client.call(pods));
    expect(error.status).toBe(0);
    expect(textOf(error)).not.toContain('CANARY');
  });

  test('that is answered by something else than HTTP fails without a word of it', async () => {
    server.answer = (_response, { socket }) => void socket.end('CANARY\r\nCANARY: CANARY\r\n\r\n');
    const error = await failureOf(made.client.call(pods));
    expect([error.status, error.reason]).toEqual([0, 'Unreachable']);
    expect(textOf(error)).not.toContain('CANARY');
  });

  test('is told how long to wait', async () => {
    server.answer = answering(429, '', { 'retry-after': '7' });
    expect((await failureOf(made.client.call(pods))).retryAfterMs).toBe(7000);
  });

  test('fails when its time is up, also where it is a fraction, and leaves no connection behind', async () => {
    server.answer = () => undefined;
    const startedMs = performance.now();
    const error = await failureOf(made.client.call({ ...pods, timeoutMs: 120.75 }));
    expect([error.status, error.reason]).toEqual([0, 'Timeout']);
    expect(performance.now() - startedMs).toBeGreaterThan(110);
    expect(server.received).toHaveLength(1);
    await eventually(() => server.connectionsOpen === 0);
  });

  test('whose time is up before it began fails, whatever the time says', async () => {
    server.answer = () => undefined;
    for (const timeoutMs of [0, -5, Number.NaN]) {
      expect(isKubeError(await failureOf(made.client.call({ ...pods, timeoutMs })), 'Timeout')).toBe(true);
    }
  });

  test('fails when its time is up in the middle of the answer', async () => {
    server.answer = (response) => void response.writeHead(200).write('{"a":');
    const error = await failureOf(made.client.call({ ...pods, timeoutMs: 100 }));
    expect(error.reason).toBe('Timeout');
  });

  test('fails when its time is up while it is not known who asks', async () => {
    made = clientOf(server, () => new Promise(() => undefined));
    expect((await failureOf(made.client.call({ ...pods, timeoutMs: 100 }))).reason).toBe('Timeout');
    expect(server.received).toHaveLength(0);
  });

  test('fails when it is told to, in words', async () => {
    server.answer = () => undefined;
    const abort = new AbortController();
    const call = failureOf(made.client.call({ ...pods, signal: abort.signal }));
    await eventually(() => server.received.length === 1);
    abort.abort();
    expect((await call).message).toMatch(/^GET \/api\/v1\/pods: .*abort/);
  });

  test('fails at once where nobody listens', async () => {
    await server[Symbol.asyncDispose]();
    const error = await failureOf(made.client.call(pods));
    expect([error.status, error.reason, error.message]).toEqual([0, 'Unreachable', 'GET /api/v1/pods: ECONNREFUSED']);
    server = await startScriptedServer();
  });

  test('is counted once, by what came of it', async () => {
    await made.client.call(pods);
    server.answer = answering(404);
    await failureOf(made.client.call(pods));
    server.answer = (_response, { socket }) => socket.resetAndDestroy();
    await failureOf(made.client.call(pods));
    expect(made.ended.map(({ code }) => code)).toEqual(['200', '404', '<error>']);
  });

  test('that is refused for who it is has the credentials read anew', async () => {
    server.answer = answering(401, { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' });
    expect((await failureOf(made.client.call(pods))).reason).toBe('Unauthorized');
    expect(made.refreshes).toBe(1);
    server.answer = answering(403, { kind: 'Status', reason: 'Forbidden' });
    await failureOf(made.client.call(pods));
    expect(made.refreshes).toBe(1);
  });

  test('goes over new connections when the authority has changed, and the old ones end', async () => {
    let ca = 'one';
    made = clientOf(server, () => Promise.resolve({ headers: {}, tls: { ca } }));
    await made.client.call(pods);
    await made.client.call(pods);
    const abort = new AbortController();
    server.answer = (response) => void response.writeHead(200).write('1\n');
    const watch = await made.client.stream({ ...pods, signal: abort.signal });
    server.answer = answering(200, {});
    ca = 'two';
    await made.client.call(pods);
    await eventually(() => server.connectionsOpen === 2);
    // What is under way ends in its own time.
    expect(await firstOf(watch)).toBe('1\n');
    abort.abort();
    await eventually(() => server.connectionsOpen === 1);
  });
});

describe('a replica that does not lead', () => {
  let leads = true;
  const write: KubeCall = { method: 'PATCH', path: '/api/v1/pods/x', body: {}, contentType: 'application/json' };

  beforeEach(() => {
    leads = true;
    made = clientOf(server, undefined, {}, () => leads);
  });

  test('changes nothing, but for what anybody may change', async () => {
    leads = false;
    const error = await failureOf(made.client.call(write));
    expect([error.reason, error.message]).toEqual(['NotLeading', 'PATCH /api/v1/pods/x: this replica does not lead']);
    expect([server.received, made.ended]).toEqual([[], []]);
    await made.client.call(pods);
    await made.client.call({ ...write, isAnybodys: true });
    expect(server.received.map(({ method }) => method)).toEqual(['GET', 'PATCH']);
    leads = true;
    await made.client.call(write);
    expect(server.received).toHaveLength(3);
  });

  test('keeps back also what waited for a connection when it stopped leading', async () => {
    const call = made.client.call(write);
    await Promise.resolve();
    // As of now it is on its way, and not connected yet.
    leads = false;
    expect((await failureOf(call)).reason).toBe('NotLeading');
    await eventually(() => server.connectionsMade === 1);
    expect(server.received).toEqual([]);
    leads = true;
    await made.client.call(write);
    expect(server.received).toHaveLength(1);
    expect(server.connectionsMade).toBe(1);
  });
});

async function firstOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  for await (const chunk of chunks) return Buffer.from(chunk).toString();
  return '';
}

describe('a stream', () => {
  test('gives what comes, when it comes, until it is told to end', async () => {
    const abort = new AbortController();
    server.answer = (response) => {
      response.writeHead(200).write('one\n');
      setTimeout(() => response.write('two\n'), 50);
    };
    const chunks = await made.client.stream({ ...pods, signal: abort.signal });
    const seen: string[] = [];
    const read = (async () => {
      for await (const chunk of chunks) seen.push(Buffer.from(chunk).toString());
    })().catch(() => seen.push('ended'));
    await eventually(() => seen.length === 2);
    abort.abort();
    await read;
    expect(seen).toEqual(['one\n', 'two\n', 'ended']);
    await eventually(() => server.connectionsOpen === 0);
  });

  test('that is refused fails as a call does', async () => {
    server.answer = answering(410, { reason: 'Expired', message: 'too old' });
    const error = await failureOf(made.client.stream({ ...pods, signal: new AbortController().signal }));
    expect([error.status, error.reason]).toEqual([410, 'Expired']);
  });

  test('takes no connection from calls, however many there are', async () => {
    const abort = new AbortController();
    server.answer = (response) => void response.writeHead(200).write('\n');
    const opened = Array.from({ length: 300 }, () => made.client.stream({ ...pods, signal: abort.signal }));
    const streams = await Promise.all(opened);
    server.answer = answering(200, {});
    await made.client.call({ ...pods, timeoutMs: 2000 });
    expect(server.connectionsOpen).toBe(301);
    const ends = streams.map((stream) => firstOf(stream).catch(() => ''));
    abort.abort();
    await Promise.all(ends);
  });

  test('is broken off when the client is closed', async () => {
    server.answer = (response) => void response.writeHead(200).write('\n');
    const chunks = await made.client.stream({ ...pods, signal: new AbortController().signal });
    const read = failed(
      (async () => {
        for await (const _ of chunks);
      })(),
    );
    await made.client.close();
    expect(await read).toBeInstanceOf(Error);
    await failureOf(made.client.call(pods));
  });
});
