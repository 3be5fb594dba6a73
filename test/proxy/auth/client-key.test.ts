import { describe, expect, it } from 'vitest';
import { createKeyring, readClientKey } from '../../../proxy/auth/client-key.ts';
import { compileModelPatterns } from '../../../proxy/auth/model-patterns.ts';
import { clientKey, configOf, sha256 } from '../../support/config.ts';

describe('the key of a request', () => {
  it.each([
    ['authorization', 'Bearer k1', 'k1'],
    ['authorization', 'bearer k1', 'k1'],
    ['authorization', 'BEARER   k1  ', 'k1'],
    ['authorization', 'Bearer a b', 'a b'],
    ['x-api-key', 'k1', 'k1'],
    ['api-key', 'k1', 'k1'],
  ])('is read from %s: %j', (name, value, key) => {
    expect(readClientKey({ [name]: value })).toBe(key);
  });

  it('is that of the first header that has one, in a fixed order', () => {
    const all = { authorization: 'Bearer one', 'x-api-key': 'two', 'api-key': 'three' };
    expect(readClientKey(all)).toBe('one');
    expect(readClientKey({ ...all, authorization: undefined })).toBe('two');
    expect(readClientKey({ 'api-key': 'three' })).toBe('three');
    expect(readClientKey({ ...all, authorization: 'Basic b25l' })).toBe('two');
  });

  it('is an empty one where a Bearer says nothing, so that no other header makes up for it', () => {
    expect(readClientKey({ authorization: 'Bearer ', 'x-api-key': 'two' })).toBe('');
  });

  it.each([
    {},
    { authorization: 'k1' },
    { authorization: 'Basic azE=' },
    { authorization: 'Bearerk1' },
    { authorization: ['Bearer k1', 'Bearer k2'] },
    { 'x-api-key': ['k1', 'k2'] },
    { cookie: 'authorization=Bearer k1' },
    { 'proxy-authorization': 'Bearer k1' },
  ])('is nowhere else: %j', (headers) => {
    expect(readClientKey(headers)).toBeUndefined();
  });
});

describe('a keyring', () => {
  const { config, credentials } = configOf({
    providers: [],
    routes: [],
    clientKeys: [
      clientKey('one', 'secret-1', { tenant: 'gold', labels: { team: 'x' }, models: ['gpt-*'], expiresAt: 5_000 }),
      clientKey('two', 'secret-2'),
    ],
  });
  const principal = createKeyring(config.clientKeys, credentials.clients);

  it('knows whose a key is, and what it may do', () => {
    const one = principal('secret-1');
    expect(one).toMatchObject({ id: 'default/one', tenant: 'gold', labels: { team: 'x' }, expiresAtMs: 5_000 });
    expect([one?.mayUse('gpt-4o'), one?.mayUse('claude'), one?.mayUseAll]).toEqual([true, false, false]);
    expect(principal('secret-2')).toMatchObject({ id: 'default/two', mayUseAll: true, expiresAtMs: undefined });
  });

  it('takes no digest for a key', () => {
    expect(principal(sha256('secret-1'))).toBeUndefined();
    expect(principal(credentials.clients[0]?.sha256 ?? '')).toBeUndefined();
  });

  it.each([
    '',
    'secret',
    'secret-1 ',
    'SECRET-1',
    'secret-1\0',
    'secret-1\r\nx: y',
    '*',
    'secret-?',
    "' OR 1=1 --",
    '__proto__',
    'constructor',
    'sécret-1',
    'x'.repeat(64 * 1024),
  ])('knows nobody by %j', (key) => {
    expect(principal(key)).toBeUndefined();
  });

  it('holds no key, only digests of them', () => {
    expect(JSON.stringify([config, credentials])).not.toMatch(/secret-\d/);
  });

  it('knows a principal by each of its keys, and when each of them ends', () => {
    const clients = [
      { id: 'default/two', sha256: sha256('new') },
      { id: 'default/two', sha256: sha256('before'), expiresAt: 7_000 },
      { id: 'default/two', sha256: sha256('new'), expiresAt: 1 },
    ];
    const known = createKeyring(config.clientKeys, clients);
    expect(known('new')).toMatchObject({ id: 'default/two', expiresAtMs: undefined });
    expect(known('before')).toMatchObject({ id: 'default/two', expiresAtMs: 7_000 });
  });

  it('knows no key whose LLMKey is not in the configuration', () => {
    const stranger = { id: 'default/three', sha256: sha256('secret-3') };
    expect(createKeyring(config.clientKeys, [stranger])('secret-3')).toBeUndefined();
  });
});

describe('patterns on model names', () => {
  it.each([
    [['gpt-4o'], 'gpt-4o', true],
    [['gpt-4o'], 'gpt-4o-mini', false],
    [['gpt-*'], 'gpt-4o', true],
    [['gpt-*'], 'gpt-', true],
    [['gpt-*'], 'my-gpt-4o', false],
    [['gpt-*', 'claude'], 'claude', true],
    [['*'], 'anything', true],
    [['*'], '', true],
    [[], 'gpt-4o', false],
    [['gpt.*'], 'gpt-4o', false],
    [['g*t'], 'gpt', false],
    [['g*t'], 'g*t', true],
    [['GPT-*'], 'gpt-4o', false],
    [['gpt**'], 'gpt*4', true],
    [['gpt**'], 'gpt-4', false],
  ])('%j on %j: %s', (patterns, model, matches) => {
    expect(compileModelPatterns(patterns)(model)).toBe(matches);
  });
});
