import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProviderType, UpstreamKeyConfig } from '../../../proxy/config/schema.ts';
import type { Provider, UpstreamKey } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { upstreamHeaders } from '../../../proxy/providers/upstream-headers.ts';
import { configOf, provider, upstreamKey } from '../../support/config.ts';

const passed = [
  'content-type',
  'accept',
  'openai-beta',
  'anthropic-version',
  'anthropic-beta',
  'idempotency-key',
  'traceparent',
  'tracestate',
];
const canary = 'CANARY-client-credential';

function providerOf(type: ProviderType = 'OpenAI'): Provider {
  const pair = configOf({ providers: [provider('a', 'https://upstream.example', { type })], routes: [] });
  const compiled = compileSnapshot(pair.config, pair.credentials).providers.get('default/a');
  if (compiled === undefined) throw new Error('the provider is not there');
  return compiled;
}

function keyOf(differs: Partial<UpstreamKeyConfig> = {}): UpstreamKey {
  const { config, secret } = upstreamKey('k1', 'a', 'upstream-secret', differs);
  const { id, weight, priority } = config;
  return { id, target: `key:${id}`, weight, priority, secret, expiresAtMs: undefined, serves: () => true, config };
}

function headersOf(
  incoming: Record<string, string | string[] | undefined>,
  { type, key, clientCredential }: { type?: ProviderType; key?: UpstreamKey; clientCredential?: string } = {},
): Record<string, string> {
  return upstreamHeaders({ incoming, provider: providerOf(type), key, clientCredential });
}

describe('the headers of an upstream request', () => {
  it('are those of the client that an upstream may see, as they are', () => {
    const incoming = Object.fromEntries(passed.map((name) => [name, `${name} of the client`]));
    expect(headersOf(incoming)).toEqual({ ...incoming, 'accept-encoding': 'identity', 'user-agent': 'sluice' });
  });

  it('ask for an answer that is not compressed, whatever the client wants', () => {
    expect(headersOf({ 'accept-encoding': 'gzip, br' })['accept-encoding']).toBe('identity');
  });

  it('name us after the client', () => {
    expect(headersOf({ 'user-agent': 'OpenAI/Python 2.0' })['user-agent']).toBe('OpenAI/Python 2.0 sluice');
    expect(headersOf({})['user-agent']).toBe('sluice');
  });

  it.each([
    'host',
    'connection',
    'content-length',
    'transfer-encoding',
    'te',
    'trailer',
    'upgrade',
    'expect',
    'cookie',
    'referer',
    'origin',
    'forwarded',
    'via',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-real-ip',
    'x-tenant',
    'x-request-id',
    'openai-organization',
    'openai-project',
    'baggage',
    'proxy-authorization',
    'x-goog-api-key',
  ])('never have the client’s %s', (name) => {
    const headers = headersOf({ [name]: canary }, { key: keyOf() });
    expect(JSON.stringify(headers)).not.toContain(canary);
    expect(Object.keys(headers)).not.toContain(name);
  });

  it('never have anything else, whatever a client sends', () => {
    const allowed = new Set([...passed, 'accept-encoding', 'user-agent', 'authorization']);
    const name = fc.oneof(
      fc.constantFrom(...passed, 'authorization', 'x-api-key', 'api-key'),
      fc.stringMatching(/^[a-z-]{1,20}$/),
    );
    const value = fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 3 }));
    fc.assert(
      fc.property(fc.dictionary(name, value), (incoming) => {
        const headers = headersOf(incoming, { key: keyOf() });
        for (const key of Object.keys(headers)) expect(allowed).toContain(key);
        expect(headers['authorization']).toBe('Bearer upstream-secret');
        for (const each of passed)
          expect(headers[each]).toBe(typeof incoming[each] === 'string' ? incoming[each] : undefined);
      }),
    );
  });
});

describe('the credential of an upstream request', () => {
  const clients = { authorization: `Bearer ${canary}`, 'x-api-key': canary, 'api-key': canary };

  it('is never the client’s where the provider has a key, or needs none', () => {
    for (const key of [keyOf(), undefined]) {
      const headers = headersOf(clients, key === undefined ? {} : { key });
      expect(JSON.stringify(headers)).not.toContain(canary);
      expect(headers['authorization']).toBe(key === undefined ? undefined : 'Bearer upstream-secret');
    }
  });

  it('is shown to Azure in its own header', () => {
    const headers = headersOf(clients, { type: 'AzureOpenAI', key: keyOf() });
    expect([headers['api-key'], headers['authorization']]).toEqual(['upstream-secret', undefined]);
  });

  it('is the client’s only where that is to be passed through, in the vendor’s header', () => {
    expect(headersOf({}, { clientCredential: canary })['authorization']).toBe(`Bearer ${canary}`);
    const azure = headersOf(clients, { type: 'AzureOpenAI', clientCredential: canary });
    expect([azure['api-key'], azure['authorization'], azure['x-api-key']]).toEqual([canary, undefined, undefined]);
  });

  it('is the pool’s before the client’s', () => {
    expect(headersOf({}, { key: keyOf(), clientCredential: canary })['authorization']).toBe('Bearer upstream-secret');
  });

  it('says which organization and project it is for, as the key has it and not as the client says', () => {
    const spoofed = { 'openai-organization': 'org-client', 'openai-project': 'proj-client' };
    const key = keyOf({ organization: 'org-1', project: 'proj-1' });
    expect(headersOf(spoofed, { key })).toMatchObject({ 'openai-organization': 'org-1', 'openai-project': 'proj-1' });
    expect(headersOf(spoofed, { key: keyOf() })).not.toHaveProperty('openai-organization');
  });
});
