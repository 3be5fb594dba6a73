// A gateway that is told to stop finishes what it has begun, and says so to those whom it cannot wait for.

import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { chat, chatRequest, markedText } from '../../support/chat.ts';
import { ask, errorOf, streamedContentOf } from '../../support/client.ts';
import { provider, route, ruleInOrder } from '../../support/config.ts';
import { eventually } from '../../support/eventually.ts';
import { stopAtOnce } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';
import { startUpstream } from '../../support/upstream.ts';
import { makeMount, publish } from '../proxy/mount.ts';
import { loopback, startProxyProcess } from '../proxy/proxy-process.ts';

const streamed = chatRequest('one', { stream: true });

it('lets streams and answers end that have begun, and ends as soon as they have', async () => {
  await using stage = await openStage(
    { a: chat('a', { gapMs: 60, words: 8, afterMs: 400 }) },
    { gateway: { drainMs: 10_000 } },
  );
  const { a } = stage.upstreams;
  const stream = ask(stage.chatURL, { body: streamed, headers: { connection: 'close' } });
  const whole = ask(stage.chatURL, { body: chatRequest('one'), headers: { connection: 'close' } });
  await eventually(() => a.requests.length === 2);
  const beganAtMs = performance.now();
  await stage.gateway.gateway.drain();
  expect(streamedContentOf(await stream)).toBe(markedText('a', 'one', 8));
  expect((await stream).text).toContain('[DONE]');
  expect((await whole).status).toBe(200);
  expect(performance.now() - beganAtMs).toBeLessThan(3000);
  expect(a.connections).toBe(0);
});

it('is not ready while it drains, takes no new connections, and asks open ones to close', async () => {
  await using stage = await openStage({ a: chat('a', { gapMs: 100, words: 8 }) }, { gateway: { drainMs: 10_000 } });
  const agent = new Agent({ keepAlive: true });
  const kept = (): Promise<{ status: number | undefined; connection: string | undefined }> =>
    new Promise((resolve, reject) => {
      const outgoing = httpRequest(stage.chatURL, { method: 'POST', agent }, (response) => {
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode, connection: response.headers.connection }));
      });
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(chatRequest('kept')));
    });
  expect((await kept()).connection).not.toBe('close');
  const stream = ask(stage.chatURL, { body: streamed });
  await eventually(() => stage.upstreams.a.requests.length === 2);
  const drained = stage.gateway.gateway.drain();
  await delay(20);
  expect((await ask(`${stage.gateway.adminURL}/readyz`)).status).toBe(503);
  expect((await ask(`${stage.gateway.adminURL}/livez`)).status).toBe(200);
  await expect(fetch(stage.chatURL, { method: 'POST', keepalive: false })).rejects.toThrow();
  expect(await kept()).toEqual({ status: 200, connection: 'close' });
  agent.destroy();
  expect((await stream).text).toContain('[DONE]');
  await drained;
});

it('ends streams at the deadline with an error inside them', async () => {
  await using stage = await openStage({ a: chat('a', { gapMs: 50, words: 400 }) }, { gateway: { drainMs: 300 } });
  const stream = ask(stage.chatURL, { body: streamed });
  await eventually(() => stage.upstreams.a.requests.length === 1);
  const beganAtMs = performance.now();
  await stage.gateway.gateway.drain();
  expect(performance.now() - beganAtMs).toBeGreaterThanOrEqual(295);
  expect(performance.now() - beganAtMs).toBeLessThan(2000);
  const { text, broken, status } = await stream;
  expect([status, broken]).toEqual([200, false]);
  expect(text).toMatch(/data: \{"error":\{[^\n]*"code":"draining"\}\}\n\n$/);
  expect(text).not.toContain('[DONE]');
  await eventually(() => stage.upstreams.a.connections === 0);
});

it('answers 503 at the deadline to those who have nothing yet, and blames no backend', async () => {
  await using stage = await openStage({ a: stopAtOnce('stall'), b: chat('b') }, { gateway: { drainMs: 200 } });
  const whole = ask(stage.chatURL, { body: chatRequest('one') });
  const stream = ask(stage.chatURL, { body: streamed });
  await eventually(() => stage.upstreams.a.requests.length === 2);
  await stage.gateway.gateway.drain();
  for (const answered of [await whole, await stream]) {
    expect([answered.status, errorOf(answered).code]).toEqual([503, 'draining']);
    expect(answered.headers['connection']).toBe('close');
  }
  expect(stage.upstreams.b.requests).toHaveLength(0);
});

it('is told to stop by SIGTERM as a process, and logs whom it could not wait for', { timeout: 60_000 }, async () => {
  await using upstream = await startUpstream(chat('a', { gapMs: 50, words: 400 }));
  using mount = makeMount();
  mount.hold(
    publish({ providers: [provider('a', upstream.baseURL)], routes: [route('chat', [ruleInOrder(['a'])])] }).files,
  );
  await using proxy = await startProxyProcess(mount, { args: [...loopback, '--access-log', '--drain-seconds', '1'] });
  const stream = proxy.chat({ body: streamed });
  await eventually(() => upstream.requests.length === 1);
  proxy.program.process.kill('SIGTERM');
  expect((await stream).text).toMatch(/"code":"draining"\}\}\n\n$/);
  expect(await proxy.program.ended).toBe(0);
  expect(proxy.program.out()).toMatch(/"outcome":"failed-in-band","error":"draining"/);
});
