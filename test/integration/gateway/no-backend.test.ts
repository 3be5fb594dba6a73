// Rules that cannot serve: their requests are refused, and never come to the rule after them.

import { expect, it } from 'vitest';
import { startUpstream } from '../../support/upstream.ts';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, contentOf, errorOf } from '../../support/client.ts';
import { backend, failover, provider, route, rule } from '../../support/config.ts';
import { startTestGateway } from '../../support/gateway.ts';

const eu = [{ headers: [{ name: 'x-region', type: 'Exact' as const, value: 'eu' }] }];
const euOnly = [{ attribute: { name: 'residency', operator: 'In' as const, values: ['eu'] } }];

it.each([
  ['has no backend', rule([], { name: 'eu', matches: eu })],
  ['excludes all its backends', rule([backend('us')], { name: 'eu', matches: eu, require: euOnly })],
  ['refers to a route whose rule has none', rule([backend('inner', { route: 'default/empty' })], { matches: eu })],
  [
    'falls back to a route whose rule has none',
    rule([], { failover: failover({ fallbackRoute: 'default/empty' }), matches: eu }),
  ],
])('refuses the requests of a rule that %s', async (_what, euRule) => {
  await using upstream = await startUpstream(chat('us'));
  const empty = route('empty', [rule([], { matches: eu }), rule([backend('us')])]);
  await using gateway = await startTestGateway({
    providers: [provider('us', upstream.baseURL)],
    routes: [route('chat', [euRule, rule([backend('us')], { name: 'rest' })]), empty],
  });
  const refused = await ask(`${gateway.url}/chat/`, { body: chatRequest('one'), headers: { 'x-region': 'eu' } });
  expect([refused.status, errorOf(refused).code]).toEqual([503, 'no_backend']);
  expect(refused.headers).toMatchObject({ 'x-sluice-error': 'no_backend', 'x-should-retry': 'false' });
  expect(upstream.requests).toEqual([]);
  expect(contentOf(await ask(`${gateway.url}/chat/`, { body: chatRequest('two') }))).toContain('us~two');
});

it.each(['/chat/gone', '/chat/gone/', '/chat/gone/v1/chat/completions', '/chat/gone/what/ever'])(
  'refuses a pin of a backend that is left out: %s is relayed to no other one',
  async (path) => {
    await using upstream = await startUpstream(chat('us'));
    await using gateway = await startTestGateway({
      providers: [provider('us', upstream.baseURL)],
      routes: [route('chat', [rule([backend('us')], { leftOut: ['gone'] })])],
    });
    const refused = await ask(`${gateway.url}${path}`, { body: chatRequest('one') });
    expect([refused.status, errorOf(refused).code]).toEqual([503, 'no_backend']);
    expect(refused.headers).toMatchObject({ 'x-sluice-route': 'default/chat', 'x-should-retry': 'false' });
    expect(upstream.requests).toEqual([]);
    // What is not the name of a backend is the upstream's business.
    await ask(`${gateway.url}/chat/other/what/ever`, { body: chatRequest('two') });
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/v1/other/what/ever']);
  },
);

it.each([
  ['a shorter path', '/team/chat/v1/chat/completions', 'other'],
  ['a prefix of the model', '/v1/chat/completions', 'gpt-4o'],
])(
  'refuses the requests of a route without any backend: %s of another route gets none of them',
  async (_what, path, model) => {
    await using upstream = await startUpstream(chat('wide'));
    const prefix = [{ name: 'gpt-', type: 'Prefix' as const }];
    const exact = [{ name: 'gpt-4o', type: 'Exact' as const }];
    await using gateway = await startTestGateway({
      providers: [provider('wide', upstream.baseURL)],
      routes: [
        route('wide', [rule([backend('wide')])], { path: '/team', models: prefix }),
        route('narrow', [rule([], { leftOut: ['gone'] })], { path: '/team/chat', models: exact }),
      ],
    });
    const refused = await ask(`${gateway.url}${path}`, { body: chatRequest('one', { model }) });
    expect([refused.status, errorOf(refused).code]).toEqual([503, 'no_backend']);
    expect(refused.headers).toMatchObject({ 'x-sluice-route': 'default/narrow' });
    expect(upstream.requests).toEqual([]);
  },
);

it('serves a rule without backends by its fallback, within the time that the rule gives', async () => {
  await using upstream = await startUpstream(chat('other'));
  const first = rule([], { failover: failover({ fallbackRoute: 'default/other' }), timeouts: { totalSeconds: 30 } });
  await using gateway = await startTestGateway({
    providers: [provider('other', upstream.baseURL)],
    routes: [route('chat', [first]), route('other', [rule([backend('other')])])],
  });
  expect(contentOf(await ask(`${gateway.url}/chat/`, { body: chatRequest('one') }))).toContain('other~one');
});
