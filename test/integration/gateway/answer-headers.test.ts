// What every answer of the data port says about itself.

import { expect, it } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, errorOf } from '../../support/client.ts';
import { answer } from '../../support/scripts.ts';
import { startTestGateway } from '../../support/gateway.ts';
import { openStage } from '../../support/stage.ts';

it('keeps a sane request id of the client’s, and makes one where there is none', async () => {
  await using stage = await openStage({ a: chat('a') });
  const body = chatRequest('one');
  const own = await ask(stage.chatURL, { body, headers: { 'x-request-id': 'my-id-1' } });
  expect(own.headers['x-request-id']).toBe('my-id-1');
  const odd = await ask(stage.chatURL, { body, headers: { 'x-request-id': `${'x'.repeat(5000)}` } });
  expect(odd.headers['x-request-id']?.length).toBeLessThan(200);
  const made = [await ask(stage.chatURL, { body }), await ask(stage.chatURL, { body })];
  expect(new Set(made.map(({ headers }) => headers['x-request-id'])).size).toBe(2);
});

it('names route, backend and attempts on an answer', async () => {
  await using stage = await openStage({ a: answer('', { status: 500 }), b: chat('b') });
  for (const stream of [false, true]) {
    const { headers } = await ask(stage.chatURL, { body: chatRequest(`m${stream}`, { stream }) });
    expect(headers).toMatchObject({
      'x-sluice-route': 'default/chat',
      'x-sluice-backend': 'b',
      // The second request goes to b at once: a is disabled.
      'x-sluice-attempts': stream ? '1' : '2',
    });
    expect(headers['x-sluice-error']).toBeUndefined();
  }
});

it('names the error, the route and the attempts on an error of its own', async () => {
  await using stage = await openStage({ a: answer('', { status: 500 }), b: answer('', { status: 502 }) });
  const failed = await ask(stage.chatURL, { body: chatRequest('one') });
  expect(failed.status).toBe(502);
  expect(failed.headers).toMatchObject({
    'x-sluice-error': 'upstream_error',
    'x-sluice-route': 'default/chat',
    'x-sluice-attempts': '2',
    'x-should-retry': 'true',
    'content-type': 'application/json',
  });
  expect(errorOf(failed).code).toBe('upstream_error');
});

it.each([
  ['no route', '/nowhere', {}, 404, 'route_not_found'],
  ['no JSON', '/chat/', '{"model', 400, 'invalid_json'],
  ['an odd path', '/chat/%2fadmin', {}, 400, 'invalid_path'],
  ['a model nobody has', '/v1/chat/completions', { model: 'x' }, 404, 'route_not_found'],
  ['no model', '/v1/chat/completions', {}, 400, 'model_required'],
])('has a request id and a code on an error about %s', async (_what, path, body, status, code) => {
  await using stage = await openStage({ a: chat('a') });
  const refused = await ask(`${stage.gateway.url}${path}`, { body });
  expect([refused.status, refused.headers['x-sluice-error'], errorOf(refused).code]).toEqual([status, code, code]);
  expect(refused.headers['x-request-id']).toMatch(/^[0-9a-f]{12}-1$/);
  expect(refused.headers['x-should-retry']).toBe('false');
  expect(stage.upstreams.a.requests).toHaveLength(0);
});

it('names the method that a path has', async () => {
  await using stage = await openStage({ a: chat('a') });
  const refused = await ask(stage.chatURL, { method: 'GET' });
  expect([refused.status, refused.headers['x-sluice-error']]).toEqual([405, 'method_not_allowed']);
});

it('tells nobody who the upstream is, whatever it says', async () => {
  const secretive = 'host secret.internal key sk-abcdefghijklmnopqrstuvwxyz0123456789';
  const scripts = [500, 503, 401, 403, 429, 302].map((status) =>
    answer({ error: { message: secretive } }, { status, headers: { location: 'http://secret.internal/' } }),
  );
  for (const script of scripts) {
    await using stage = await openStage({ a: script });
    const failed = await ask(stage.chatURL, { body: chatRequest('one') });
    const told = JSON.stringify(failed);
    expect(failed.status).toBeGreaterThanOrEqual(429);
    expect(told).not.toContain('secret.internal');
    expect(told).not.toContain('sk-abc');
    expect(told).not.toContain(String(stage.upstreams.a.port));
  }
});

it('says not_ready before its first configuration', async () => {
  await using gateway = await startTestGateway(undefined);
  const refused = await ask(`${gateway.url}/v1/chat/completions`, { body: chatRequest('one') });
  expect([refused.status, refused.headers['x-sluice-error']]).toEqual([503, 'not_ready']);
  expect((await ask(`${gateway.adminURL}/readyz`)).status).toBe(503);
});
