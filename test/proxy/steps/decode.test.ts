import { describe, expect, it } from 'vitest';
import type { ClientError } from '../../../proxy/canonical/client-error.ts';
import type { Snapshot } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import { decode, type ProxyRequest } from '../../../proxy/steps/decode.ts';
import { createPathReader } from '../../../proxy/steps/read-path.ts';
import { configOf, provider, route, ruleInOrder } from '../../support/config.ts';
import { type Asked, NotedExchange } from './exchange.ts';

function snapshotOf(): Snapshot {
  const { config, credentials } = configOf({
    providers: ['a', 'b'].map((name) => provider(name, 'https://upstream.example')),
    routes: [
      route('chat', [ruleInOrder(['a', 'b'])]),
      route('deep', [ruleInOrder(['a'])], { path: '/chat/deep', models: [] }),
      route('all', [ruleInOrder(['a'])], { path: '/all', models: [{ name: 'gpt-', type: 'Prefix' }] }),
      route('mini', [ruleInOrder(['a'])], { path: '/mini', models: [{ name: 'gpt-4o', type: 'Exact' }] }),
      route('vectors', [ruleInOrder(['a'])], { path: '/vectors', models: [], protocol: 'OpenAIEmbeddings' }),
      route('claude', [ruleInOrder(['a'])], { path: '/claude', models: [], protocol: 'AnthropicMessages' }),
    ],
  });
  return compileSnapshot(config, credentials);
}

const snapshot = snapshotOf();
const readPath = createPathReader();

function understand(asked: Asked): ReturnType<typeof decode> {
  const exchange = new NotedExchange({ body: { model: 'chat', messages: [] }, ...asked });
  const result = decode(exchange, snapshot, readPath);
  // Remembered or not, a path means the same.
  expect(describeResult(decode(exchange, snapshot))).toEqual(describeResult(result));
  return result;
}

function describeResult(result: ReturnType<typeof decode>): unknown {
  if (!('route' in result)) return { local: result.local.path, id: result.id, of: result.claimedBy?.id };
  const { operation, route: to, pin, model, stream } = result;
  return {
    operation: operation.path,
    protocol: operation.protocol,
    route: to.id,
    pin: pin?.name,
    model,
    stream,
  };
}

function codeOf(asked: Asked): string {
  try {
    understand(asked);
    return 'understood';
  } catch (error) {
    return (error as ClientError).code;
  }
}

const chat = { operation: '/chat/completions', protocol: 'openai-chat', model: 'chat', stream: false };

describe('a request', () => {
  it.each([
    ['/v1/chat/completions', chat],
    ['/v1/chat/completions/', chat],
    ['/openai/chat/completions', chat],
    ['/openai/v1/chat/completions', chat],
    ['/V1/Chat/Completions', chat],
    ['/v1/embeddings', { ...chat, operation: '/embeddings', protocol: 'openai-embeddings' }],
    ['/v1/messages', { ...chat, operation: '/messages', protocol: 'anthropic-messages' }],
    ['/anthropic/v1/messages', { ...chat, operation: '/messages', protocol: 'anthropic-messages' }],
    ['/anthropic/messages', { ...chat, operation: '/messages', protocol: 'anthropic-messages' }],
    ['/api/generate', { ...chat, operation: '/api/generate', protocol: 'ollama-generate', stream: true }],
    ['/v1/images/generations', { ...chat, operation: '/images/generations', protocol: 'relay' }],
  ])('on the shared path %s goes to the route that has its model', (path, wanted) => {
    expect(describeResult(understand({ path }))).toEqual({ ...wanted, route: 'default/chat', pin: undefined });
  });

  it.each([
    ['gpt-4o', 'default/mini'],
    ['gpt-4o-mini', 'default/all'],
    ['gpt-', 'default/all'],
  ])('for the model %s goes to the exact name before the longest prefix', (model, to) => {
    expect(describeResult(understand({ body: { model } }))).toMatchObject({ route: to, model });
  });

  it.each([
    ['/chat', chat, undefined],
    ['/chat/', chat, undefined],
    ['/chat/v1/chat/completions', chat, undefined],
    ['/chat/chat/completions', chat, undefined],
    ['/chat/anthropic/v1/messages', { ...chat, operation: '/messages', protocol: 'anthropic-messages' }, undefined],
    ['/chat/v1/messages', { ...chat, operation: '/messages', protocol: 'anthropic-messages' }, undefined],
    ['/chat/openai/chat/completions', chat, undefined],
    ['/chat/openai/deployments/x', { ...chat, operation: '/openai/deployments/x', protocol: 'relay' }, undefined],
    ['/chat/b/api/embed', { ...chat, operation: '/api/embed', protocol: 'ollama-embed' }, 'b'],
    ['/chat/b', chat, 'b'],
    ['/chat/b/v1/chat/completions', chat, 'b'],
    ['/chat/b/audio/speech', { ...chat, operation: '/audio/speech', protocol: 'relay' }, 'b'],
    ['/chat/zzz', { ...chat, operation: '/zzz', protocol: 'relay' }, undefined],
  ])('on a route’s own path %s stays in that route', (path, wanted, pin) => {
    expect(describeResult(understand({ path }))).toEqual({ ...wanted, route: 'default/chat', pin });
  });

  it('for names of models on a route’s own path is that route’s, or the upstream’s where it names none', () => {
    const ask = (path: string) => describeResult(understand({ method: 'GET', path, body: '' }));
    expect(ask('/chat/v1/models')).toEqual({ local: '/models', id: undefined, of: 'default/chat' });
    expect(ask('/chat/openai/v1/models/chat')).toEqual({ local: '/models', id: 'chat', of: 'default/chat' });
    const relayed = { operation: '/models', protocol: 'relay' };
    expect(ask('/vectors/v1/models')).toMatchObject({ ...relayed, route: 'default/vectors' });
    expect(ask('/all/v1/models')).toMatchObject({ ...relayed, route: 'default/all' });
    expect(ask('/chat/b/models')).toMatchObject({ ...relayed, route: 'default/chat', pin: 'b' });
  });

  it('belongs to the longest path that is claimed, and only at whole segments', () => {
    expect(describeResult(understand({ path: '/chat/deep' }))).toMatchObject({ route: 'default/deep', pin: undefined });
    expect(codeOf({ path: '/chatter' })).toBe('route_not_found');
    expect(codeOf({ path: '/CHAT' })).toBe('route_not_found');
  });

  it('on a bare path speaks the protocol of the route', () => {
    expect(describeResult(understand({ path: '/vectors' }))).toMatchObject({ protocol: 'openai-embeddings' });
    expect(describeResult(understand({ path: '/claude' }))).toMatchObject({ protocol: 'anthropic-messages' });
  });

  it('says whether it wants a stream, which an operation that nobody knows never does', () => {
    const body = { model: 'chat', stream: true };
    expect(describeResult(understand({ body }))).toMatchObject({ stream: true });
    expect(describeResult(understand({ body, path: '/v1/embeddings' }))).toMatchObject({ stream: false });
    expect(describeResult(understand({ body, path: '/v1/audio/speech' }))).toMatchObject({ stream: false });
  });

  it('for names of models needs no route', () => {
    const ask = (path: string) => describeResult(understand({ method: 'GET', path, body: '' }));
    expect(ask('/v1/models')).toEqual({ local: '/models', id: undefined, of: undefined });
    expect(ask('/openai/models/gpt-4o')).toEqual({ local: '/models', id: 'gpt-4o', of: undefined });
  });
});

describe('a request that is not understood', () => {
  it.each<[string, Asked, string]>([
    ['a path of nobody', { path: '/nothing/here' }, 'route_not_found'],
    ['the root with another method', { path: '/' }, 'method_not_allowed'],
    ['what changes a server of Ollama’s', { path: '/api/pull', body: { model: 'chat' } }, 'route_not_found'],
    ['a model of nobody', { body: { model: 'claude' } }, 'route_not_found'],
    ['no model', { body: {} }, 'model_required'],
    ['an unknown operation without a model', { path: '/v1/files', body: {} }, 'route_not_found'],
    ['an unknown operation without JSON', { path: '/v1/files', body: 'x' }, 'route_not_found'],
    ['a body that is no JSON', { body: '{"model":' }, 'invalid_json'],
    ['another method', { method: 'GET' }, 'method_not_allowed'],
    ['another method on a bare path', { method: 'GET', path: '/chat' }, 'method_not_allowed'],
    ['another method on models', { method: 'DELETE', path: '/v1/models/gpt-4o' }, 'method_not_allowed'],
  ])('is told so: %s', (_name, asked, code) => {
    expect(codeOf(asked)).toBe(code);
  });

  it.each(['/v1/../admin', '/v1/%2e%2e/admin', '/chat/..', '/v1/chat%2fcompletions', '//admin', '/chat/%00'])(
    'is refused or unknown where its path is clever: %s',
    (path) => {
      expect(codeOf({ path })).not.toBe('understood');
    },
  );
});

describe('an operation that nobody knows', () => {
  const path = '/chat/audio/speech';

  it.each<[string, Asked, string | undefined]>([
    ['JSON', { path, body: { model: 'gpt-4o' } }, 'gpt-4o'],
    ['JSON of a vendor', { path, headers: { 'content-type': 'application/vnd.x+json' }, body: { model: 'm' } }, 'm'],
    [
      'JSON with a charset',
      { path, headers: { 'content-type': 'Application/JSON; charset=utf-8' }, body: { model: 'm' } },
      'm',
    ],
    ['a form', { path, headers: { 'content-type': 'multipart/form-data' }, body: { model: 'm' } }, undefined],
    ['no type', { path, headers: { 'content-type': undefined }, body: { model: 'm' } }, undefined],
    ['JSON that is none', { path, body: 'speech' }, undefined],
    ['nothing', { path, body: '' }, undefined],
  ])('names its model where its body is JSON: %s', (_name, asked, model) => {
    expect(describeResult(understand(asked))).toMatchObject({ route: 'default/chat', model });
  });

  it('cannot name two models, so that a key cannot be tricked', () => {
    expect(codeOf({ path, body: '{"model":"a","model":"b"}' })).toBe('invalid_request');
  });

  it('has no part of its body looked at by what follows', () => {
    expect((understand({ path }) as ProxyRequest).peek).toBeUndefined();
  });
});

describe('the memory of paths', () => {
  it('follows a new configuration', () => {
    const remembering = createPathReader();
    const ask = (with_: Snapshot) => {
      const wish = remembering('POST', '/chat', with_);
      return wish.type === 'operation' ? wish.claim?.route : undefined;
    };
    const next = snapshotOf();
    for (const each of [snapshot, snapshot, next, snapshot]) expect(ask(each)).toBe(each.routes.get('default/chat'));
  });

  it('keeps methods apart, and forgets nothing that it refused', () => {
    const remembering = createPathReader();
    remembering('POST', '/chat', snapshot);
    for (let time = 0; time < 2; time += 1) {
      expect(() => remembering('GET', '/chat', snapshot)).toThrow(
        expect.objectContaining({ code: 'method_not_allowed' }),
      );
    }
  });
});
