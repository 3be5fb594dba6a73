import { describe, expect, it } from 'vitest';
import { identify } from '../../../proxy/auth/access.ts';
import type { ClientError } from '../../../proxy/canonical/client-error.ts';
import type { RouteConfig } from '../../../proxy/config/schema.ts';
import type { Route } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { openaiModels } from '../../../proxy/protocols/openai/models.ts';
import { replyLocally } from '../../../proxy/steps/local.ts';
import { clientKey, configOf, provider, route, ruleInOrder } from '../../support/config.ts';
import { NotedExchange } from './exchange.ts';

const models = (...names: readonly string[]) => names.map((name) => ({ name, type: 'Exact' as const }));
const allKeys = { mode: 'AllKeys', namespaces: ['default'] } as const;

function snapshotOf(...differs: readonly Partial<RouteConfig>[]) {
  const { config, credentials } = configOf({
    providers: [provider('a', 'https://upstream.example')],
    routes: differs.map((each, index) => route(`r${index}`, [ruleInOrder(['a'])], each)),
    clientKeys: [
      clientKey('some', 'secret-some', { models: ['gpt-*'] }),
      clientKey('foreign', 'secret-foreign', { namespace: 'elsewhere' }),
      clientKey('old', 'secret-old', { expiresAt: 1 }),
    ],
  });
  return compileSnapshot(config, credentials);
}

const snapshot = snapshotOf(
  { models: models('open') },
  {
    models: [...models('gpt-4o', 'claude'), { name: 'gpt-', type: 'Prefix' }],
    access: { ...allKeys, namespaces: ['default'] },
  },
);

function list(key: string | undefined, model?: string, of = snapshot, claimedBy?: Route): unknown {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const exchange = new NotedExchange({ method: 'GET', path: '/v1/models', headers });
  try {
    const wish = { snapshot: of, local: openaiModels, id: model, claimedBy };
    replyLocally(exchange, wish, identify(headers, of, 1_000));
  } catch (error) {
    return (error as ClientError).code;
  }
  expect(exchange.answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
  const body = JSON.parse(exchange.answer?.body ?? '') as { id?: string; data?: { id: string }[] };
  return body.data?.map(({ id }) => id) ?? body.id;
}

describe('a listing of models', () => {
  it('shows without a key what needs none', () => {
    expect(list(undefined)).toEqual(['open']);
  });

  it('shows a key what it may use, in order, and no prefix', () => {
    expect(list('secret-some')).toEqual(['gpt-4o', 'open']);
    expect(list('secret-foreign')).toEqual(['open']);
  });

  it('refuses an unknown or expired key where any route needs one, and only there', () => {
    for (const key of ['unknown', 'secret-old', '']) {
      expect(list(key)).toBe('invalid_api_key');
      expect(list(key, undefined, snapshotOf({ models: models('open') }))).toEqual(['open']);
    }
  });

  it('shows one model, or says that it is not there, whether it is unknown or only out of reach', () => {
    expect(list('secret-some', 'gpt-4o')).toBe('gpt-4o');
    expect(list('secret-some', 'claude')).toBe('model_not_found');
    expect(list('secret-some', 'nonsense')).toBe('model_not_found');
    expect(list(undefined, 'gpt-4o')).toBe('model_not_found');
  });

  it('below a route’s own path shows that route’s alone, to whom it lets in', () => {
    const below = (name: string, key?: string) =>
      list(key, undefined, snapshot, snapshot.routes.get(`default/${name}`));
    expect(below('r0')).toEqual(['open']);
    expect(below('r1', 'secret-some')).toEqual(['gpt-4o']);
    expect(below('r1')).toBe('invalid_api_key');
    expect(below('r1', 'secret-foreign')).toBe('route_not_allowed');
  });
});
