import { describe, expect, it } from 'vitest';
import { authorize, identify } from '../../../proxy/auth/access.ts';
import type { ClientError, ErrorCode } from '../../../proxy/canonical/client-error.ts';
import type { ClientKeyConfig, RouteConfig } from '../../../proxy/config/schema.ts';
import type { Principal, Route } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { clientKey, configOf, provider, route, ruleInOrder } from '../../support/config.ts';

type Access = RouteConfig['access'];

interface Scene {
  readonly access: Access;
  readonly key?: Partial<ClientKeyConfig> & { readonly expiresAt?: number };
}

const presented = { authorization: 'Bearer secret' };

function open({ access, key = {} }: Scene) {
  const { config, credentials } = configOf({
    providers: [provider('a', 'http://upstream.example')],
    routes: [route('chat', [ruleInOrder(['a'])], { access })],
    clientKeys: [clientKey('one', 'secret', key)],
  });
  const snapshot = compileSnapshot(config, credentials);
  const found = snapshot.routes.get('default/chat');
  if (found === undefined) throw new Error('no route');
  return { snapshot, route: found };
}

/** What a key gets where it asks for a model: nothing to complain about, or a code. */
function ask(scene: Scene, model: string | undefined = 'gpt-4o', headers: Record<string, string> = presented) {
  const { snapshot, route: to } = open(scene);
  return refusalOf(identify(headers, snapshot, 1_000), to, model);
}

function refusalOf(principal: Principal | undefined, to: Route, model: string | undefined): ErrorCode | 'welcome' {
  try {
    authorize(principal, to, model);
    return 'welcome';
  } catch (error) {
    return (error as ClientError).code;
  }
}

const allKeys: Access = { mode: 'AllKeys', namespaces: ['default'] };

describe('a route for keys', () => {
  it('is open to a known key, and to nobody without', () => {
    expect(ask({ access: allKeys })).toBe('welcome');
    expect(ask({ access: allKeys }, 'gpt-4o', {})).toBe('invalid_api_key');
    expect(ask({ access: allKeys }, 'gpt-4o', { authorization: 'Bearer other' })).toBe('invalid_api_key');
    expect(ask({ access: allKeys }, 'gpt-4o', { 'x-api-key': 'secret' })).toBe('welcome');
    expect(ask({ access: allKeys }, 'gpt-4o', { 'api-key': 'secret' })).toBe('welcome');
  });

  it('is closed to a key from the moment at which it expires', () => {
    expect(ask({ access: allKeys, key: { expiresAt: 1_001 } })).toBe('welcome');
    expect(ask({ access: allKeys, key: { expiresAt: 1_000 } })).toBe('invalid_api_key');
    expect(ask({ access: allKeys, key: { expiresAt: 1 } })).toBe('invalid_api_key');
  });

  it.each([
    [['default'], 'default', 'welcome'],
    [['default'], 'other', 'route_not_allowed'],
    [['one', 'two'], 'two', 'welcome'],
    [['*'], 'anything', 'welcome'],
    [[], 'default', 'route_not_allowed'],
  ])('of the namespaces %j has for a key of %s: %s', (namespaces, namespace, result) => {
    for (const mode of ['AllKeys', 'SelectedKeys'] as const) {
      expect(ask({ access: { mode, namespaces }, key: { namespace } })).toBe(result);
    }
  });

  it.each([
    ['the models that a key grants', ['gpt-*'], 'gpt-4o', 'welcome'],
    ['no other model', ['gpt-*'], 'claude', 'model_not_allowed'],
    ['no model without a name, unless the key grants all', ['gpt-*'], undefined, 'model_not_allowed'],
    ['a model without a name where the key grants all', ['*'], undefined, 'welcome'],
  ])('has %s', (_what, models, model, result) => {
    const { snapshot, route: to } = open({ access: allKeys, key: { models } });
    expect(refusalOf(identify(presented, snapshot, 1_000), to, model)).toBe(result);
  });
});

describe('a route for selected keys', () => {
  const access = (keySelector: NonNullable<Access['keySelector']>): Access => {
    return { mode: 'SelectedKeys', namespaces: ['*'], keySelector };
  };

  it.each([
    ['matchLabels', { matchLabels: { team: 'x', tier: 'gold' } }, true],
    ['In', { matchExpressions: [{ key: 'team', operator: 'In' as const, values: ['x', 'y'] }] }, true],
    ['NotIn', { matchExpressions: [{ key: 'team', operator: 'NotIn' as const, values: ['x'] }] }, false],
    [
      'NotIn without the label',
      { matchExpressions: [{ key: 'none', operator: 'NotIn' as const, values: ['x'] }] },
      true,
    ],
    ['Exists', { matchExpressions: [{ key: 'tier', operator: 'Exists' as const }] }, true],
    ['DoesNotExist', { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' as const }] }, false],
    [
      'all of them together',
      { matchLabels: { team: 'x' }, matchExpressions: [{ key: 'z', operator: 'Exists' as const }] },
      false,
    ],
    ['another value', { matchLabels: { team: 'y' } }, false],
    ['a label that every object has', { matchLabels: { constructor: 'x' } }, false],
    ['nothing in particular', {}, true],
  ])('goes by %s', (_what, keySelector, welcome) => {
    const key = { labels: { team: 'x', tier: 'gold' } };
    expect(ask({ access: access(keySelector), key })).toBe(welcome ? 'welcome' : 'route_not_allowed');
  });
});

describe('an Anonymous route', () => {
  const access: Access = { mode: 'Anonymous', namespaces: [] };

  it('is open to everyone, with or without a key, known or not', () => {
    for (const headers of [{}, presented, { authorization: 'Bearer unknown' }, { 'x-api-key': '' }]) {
      expect(ask({ access, key: { models: ['other'], expiresAt: 1 } }, 'gpt-4o', headers)).toBe('welcome');
    }
  });

  it('knows a known key all the same', () => {
    const { snapshot } = open({ access });
    expect(identify(presented, snapshot, 0)?.id).toBe('default/one');
    expect(identify({ authorization: 'Bearer unknown' }, snapshot, 0)).toBeUndefined();
    expect(identify({}, snapshot, 0)).toBeUndefined();
  });
});
