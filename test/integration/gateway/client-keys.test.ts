// Who may enter: keys, what they open, and when they end.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask } from '../../support/client.ts';
import { clientKey, provider, route, ruleInOrder, sha256 } from '../../support/config.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { startUpstream } from '../../support/upstream.ts';

/** A gateway with one route of each kind of access, and the upstream behind all of them. */
async function open(clientKeys: Parameters<TestGateway['configure']>[0]['clientKeys'] = []) {
  const upstream = await startUpstream(chat('a'));
  const selector = { matchLabels: { app: 'checkout' } };
  const gateway = await startTestGateway({
    providers: [provider('a', upstream.baseURL)],
    routes: [
      route('anyone', [ruleInOrder(['a'])]),
      route('keys', [ruleInOrder(['a'])], { access: { mode: 'AllKeys', namespaces: ['default'] } }),
      route('everywhere', [ruleInOrder(['a'])], { access: { mode: 'AllKeys', namespaces: ['*'] } }),
      route('selected', [ruleInOrder(['a'])], {
        access: { mode: 'SelectedKeys', keySelector: selector, namespaces: ['default'] },
      }),
    ],
    clientKeys,
  });
  return {
    gateway,
    upstream,
    async enter(path: string, key: string | undefined, model = 'chat'): Promise<string> {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      const answered = await ask(`${gateway.url}/${path}`, { body: chatRequest('one', { model }), headers });
      return answered.status === 200 ? 'in' : `${answered.status} ${answered.headers['x-sluice-error']}`;
    },
    async [Symbol.asyncDispose]() {
      await upstream.refuse();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

it('lets nobody in without a key that it knows, and tells an unknown key from one that may not', async () => {
  await using stage = await open([
    clientKey('plain', 'sk-plain'),
    clientKey('checkout', 'sk-checkout', { labels: { app: 'checkout' } }),
    clientKey('foreign', 'sk-foreign', { namespace: 'other' }),
    clientKey('narrow', 'sk-narrow', { models: ['chat', 'gpt-*'] }),
  ]);
  expect(await stage.enter('anyone', undefined)).toBe('in');
  expect(await stage.enter('anyone', 'sk-whatever')).toBe('in');
  expect(await stage.enter('keys', undefined)).toBe('401 invalid_api_key');
  expect(await stage.enter('keys', 'sk-whatever')).toBe('401 invalid_api_key');
  expect(await stage.enter('keys', 'sk-plain')).toBe('in');
  expect(await stage.enter('keys', 'sk-foreign')).toBe('403 route_not_allowed');
  expect(await stage.enter('everywhere', 'sk-foreign')).toBe('in');
  expect(await stage.enter('selected', 'sk-plain')).toBe('403 route_not_allowed');
  expect(await stage.enter('selected', 'sk-checkout')).toBe('in');
  expect(await stage.enter('keys', 'sk-narrow', 'gpt-4o')).toBe('in');
  expect(await stage.enter('keys', 'sk-narrow', 'claude')).toBe('403 model_not_allowed');
  // What is refused here is nobody else's business.
  expect(stage.upstream.requests.length).toBe(6);
});

it.each([
  ['authorization', 'Bearer sk-one'],
  ['authorization', 'bearer  sk-one '],
  ['x-api-key', 'sk-one'],
  ['api-key', 'sk-one'],
])('finds the key in %s: %s', async (name, value) => {
  await using stage = await open([clientKey('one', 'sk-one')]);
  const answered = await ask(`${stage.gateway.url}/keys`, { body: chatRequest('one'), headers: { [name]: value } });
  expect(answered.status).toBe(200);
  expect(JSON.stringify(stage.upstream.requests[0]?.rawFields)).not.toContain('sk-one');
});

it.each(['Basic sk-one', 'sk-one', 'Bearer ', `Bearer ${sha256('sk-one')}`, `Bearer ${'x'.repeat(8000)}`])(
  'takes %s for no key',
  async (authorization) => {
    await using stage = await open([clientKey('one', 'sk-one')]);
    const answered = await ask(`${stage.gateway.url}/keys`, { body: chatRequest('one'), headers: { authorization } });
    expect([answered.status, answered.headers['x-sluice-error']]).toEqual([401, 'invalid_api_key']);
    expect(stage.upstream.requests).toHaveLength(0);
  },
);

it('refuses a key from the moment at which it expires', async () => {
  await using stage = await open([
    clientKey('brief', 'sk-brief', { expiresAt: Date.now() + 400 }),
    clientKey('past', 'sk-past', { expiresAt: Date.now() - 1 }),
  ]);
  expect(await stage.enter('keys', 'sk-past')).toBe('401 invalid_api_key');
  expect(await stage.enter('keys', 'sk-brief')).toBe('in');
  await delay(450);
  expect(await stage.enter('keys', 'sk-brief')).toBe('401 invalid_api_key');
});

it('refuses a key from the configuration on that has it no more', async () => {
  await using stage = await open([clientKey('one', 'sk-one'), clientKey('two', 'sk-two')]);
  expect(await stage.enter('keys', 'sk-one')).toBe('in');
  stage.gateway.configure({
    providers: [provider('a', stage.upstream.baseURL)],
    routes: [route('keys', [ruleInOrder(['a'])], { access: { mode: 'AllKeys', namespaces: ['default'] } })],
    clientKeys: [clientKey('two', 'sk-two')],
  });
  expect(await stage.enter('keys', 'sk-one')).toBe('401 invalid_api_key');
  expect(await stage.enter('keys', 'sk-two')).toBe('in');
});

it('does not let a key for one model in where the request names none', async () => {
  await using stage = await open([clientKey('narrow', 'sk-narrow', { models: ['chat'] }), clientKey('all', 'sk-all')]);
  const relay = (key: string) =>
    ask(`${stage.gateway.url}/keys/files`, { headers: { authorization: `Bearer ${key}` } });
  expect((await relay('sk-narrow')).status).toBe(403);
  expect((await relay('sk-all')).status).toBe(200);
});

it.each([
  ['/images/generations', 200],
  ['/fine_tuning/jobs', 403],
  ['/assistants', 403],
  ['/deployments/large/chat/completions', 403],
])('takes the model in the body of %s for the one that is used only where that is so', async (path, status) => {
  await using stage = await open([clientKey('narrow', 'sk-narrow', { models: ['chat'] }), clientKey('all', 'sk-all')]);
  const relay = (key: string) =>
    ask(`${stage.gateway.url}/keys${path}`, { body: { model: 'chat' }, headers: { authorization: `Bearer ${key}` } });
  expect((await relay('sk-narrow')).status).toBe(status);
  expect((await relay('sk-all')).status).toBe(200);
});
