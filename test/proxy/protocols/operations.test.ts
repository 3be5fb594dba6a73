import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { openaiModels } from '../../../proxy/protocols/openai/models.ts';
import {
  matchOperation,
  operationOf,
  readSharedPath,
  relayOperation,
  withoutVendorPrefix,
} from '../../../proxy/protocols/operations.ts';
import { protocolIds } from '../../../proxy/protocols/registry.ts';
import { parsePath } from '../../../proxy/protocols/path.ts';

describe('matchOperation', () => {
  test.each([
    ['/v1/chat/completions', 'openai-chat', '/chat/completions'],
    ['/chat/completions', 'openai-chat', '/chat/completions'],
    ['/chat/completions/', 'openai-chat', '/chat/completions'],
    ['/completions', 'openai-completions', '/completions'],
    ['/v1/responses', 'openai-responses', '/responses'],
    ['/V1/Embeddings', 'openai-embeddings', '/embeddings'],
    ['/v1/messages', 'anthropic-messages', '/messages'],
    ['/Messages/Count_Tokens', 'anthropic-count-tokens', '/messages/count_tokens'],
    ['/api/chat', 'ollama-chat', '/api/chat'],
    ['/API/Generate', 'ollama-generate', '/api/generate'],
    ['/api/embed', 'ollama-embed', '/api/embed'],
    ['/api/embeddings/', 'ollama-embeddings', '/api/embeddings'],
  ])('POST %s is %s', (path, protocol, upstreamPath) => {
    expect(matchOperation('POST', path)).toEqual({ type: 'operation', operation: { protocol, path: upstreamPath } });
  });

  test.each(['/v1', '/v1/', '/chat', '/chat/completions/x', '/v1/v1/responses', '/audio/speech', '/responses/r_1'])(
    'POST %j is none',
    (path) => {
      expect(matchOperation('POST', path)).toBeUndefined();
    },
  );

  test.each([
    ['GET', '/chat/completions', 'POST'],
    ['DELETE', '/v1/embeddings', 'POST'],
    ['POST', '/models', 'GET, HEAD'],
    ['GET', '/v1/messages', 'POST'],
    ['POST', '', 'GET, HEAD'],
    ['PUT', '/api/show', 'POST'],
    ['POST', '/api/ps', 'GET'],
    ['DELETE', '/v1/models/m', 'GET, HEAD'],
  ])('%s %s is refused with the methods that are allowed', (method, path, allow) => {
    expect(matchOperation(method, path)).toEqual({ type: 'method-not-allowed', allow });
  });

  test.each([
    ['/v1/models', undefined],
    ['/models/', undefined],
    ['/v1/models/gpt-4.1', 'gpt-4.1'],
    ['/models/meta%2Fllama-3', 'meta/llama-3'],
    ['/models/meta/llama-3', 'meta/llama-3'],
  ])('GET %s asks for models of any family, or one', (path, id) => {
    const match = matchOperation('GET', path);
    expect(match).toMatchObject({
      type: 'local',
      matches: [
        { family: 'openai', operation: openaiModels, id },
        { family: 'anthropic', id },
      ],
    });
    expect(matchOperation('GET', path, ['anthropic'])).toMatchObject({ matches: [{ family: 'anthropic', id }] });
    expect(matchOperation('GET', path, ['ollama'])).toBeUndefined();
  });

  test('GET of a model that could be none asks for nothing', () => {
    expect(matchOperation('GET', '/models/%E0%A4%A')).toBeUndefined();
  });

  test('an operation is only that of its own family', () => {
    expect(matchOperation('POST', '/chat/completions', ['anthropic', 'ollama'])).toBeUndefined();
  });

  test('every protocol has an operation of its own', () => {
    expect(operationOf('openai-chat')?.path).toBe('/chat/completions');
    expect(operationOf('openai-embeddings')?.path).toBe('/embeddings');
    expect(protocolIds.filter((id) => operationOf(id) === undefined)).toEqual(['relay']);
  });

  test('what is relayed keeps its path but for the version', () => {
    expect(relayOperation('/v1/audio/speech/')).toEqual({ protocol: 'relay', path: '/audio/speech' });
    expect(relayOperation('/files')).toEqual({ protocol: 'relay', path: '/files' });
    expect(relayOperation('')).toEqual({ protocol: 'relay', path: '/' });
  });
});

const shared = ['openai', 'anthropic'];

test.each([
  ['/v1/chat/completions', '/chat/completions', shared],
  ['/V1/messages', '/messages', shared],
  ['/openai/v1/chat/completions', '/chat/completions', ['openai']],
  ['/openai/chat/completions', '/chat/completions', ['openai']],
  ['/anthropic/v1/messages', '/messages', ['anthropic']],
  ['/Anthropic/messages/count_tokens', '/messages/count_tokens', ['anthropic']],
  ['/api/chat', '/api/chat', ['ollama']],
  ['/v1', '', shared],
  ['/openai/', '', ['openai']],
  ['/', '', ['ollama']],
])('the shared path %s is %j of %j', (path, rest, families) => {
  expect(readSharedPath(path)).toEqual({ families, rest });
});

test.each(['/azure/v1/responses', '/v1x/responses', '/apis/chat'])('%s is no shared path', (path) => {
  expect(readSharedPath(path)).toBeUndefined();
});

test.each([
  ['/anthropic/v1/messages', '/messages'],
  ['/openai/v1/models', '/models'],
  ['/v1/messages', undefined],
  ['/api/chat', undefined],
  ['', undefined],
])('the prefix of a vendor in %j leaves %j', (path, rest) => {
  expect(withoutVendorPrefix(path)?.rest).toBe(rest);
});

describe('parsePath', () => {
  test.each([
    ['/', []],
    ['/v1/chat/completions', ['v1', 'chat', 'completions']],
    ['/chat/', ['chat']],
    ['/v1/models/meta%2Fllama', ['v1', 'models', 'meta%2Fllama']],
    ['/v1/models/ft:gpt-4.1:org::id', ['v1', 'models', 'ft:gpt-4.1:org::id']],
    ['/v1/files/a%20b%C3%A9', ['v1', 'files', 'a%20b%C3%A9']],
    ['/v1/models/a..b', ['v1', 'models', 'a..b']],
    ['/v1/files/100%25', ['v1', 'files', '100%25']],
  ])('cuts %s', (raw, segments) => {
    expect(parsePath(raw)).toEqual(segments);
  });

  test.each([
    '',
    'v1',
    '*',
    'http://gateway/v1',
    '//admin',
    '/v1//chat',
    '/v1/../admin',
    '/v1/./chat',
    '/..',
    '/v1/%2e%2e/admin',
    '/v1/%2E%2E',
    '/v1/%252e%252e/admin',
    '/v1/%25252e',
    '/v1/%c0%ae%c0%ae/admin',
    '/v1/%e9',
    '/v1/models/%252e%252e',
    '/v1%2fadmin',
    '/v1%2Fchat/completions',
    '/v1/%5cadmin',
    '/v1\\admin',
    '/v1/ch%61t/completions',
    '/v1/chat/completions;x=y',
    '/v1/a#b',
    '/v1/a?b',
    '/v1/a%00b',
    '/v1/a%0d%0ab',
    '/v1/a\nb',
    '/v1/a\u0000',
    '/v1/é',
    '/v1/%',
    '/v1/%4',
    '/v1/%zz',
    '/v1/%3bx',
    '/v1/%5f',
    '/v1/models/%2e%2e',
    '/v1/models/..%2fadmin',
    '/v1/models/a%2F%2e%2e%2Fb',
    '/v1/models/a%00',
    '/v1/models/%ff',
    '/v1/models/%5c',
    '/@attacker/../x',
    '/localhost:4000/#@attacker',
    `/${'a'.repeat(2048)}`,
    '/v1/models/a%2F',
    '/v1/models/%2Fa',
    '/ ',
    '/a b',
  ])('refuses %j', (raw) => {
    expect(() => parsePath(raw)).toThrow(expect.objectContaining({ code: 'invalid_path' }));
  });

  test('lets through no path that a URL parser would see differently', () => {
    const piece = fc.constantFrom(
      '/',
      '/',
      'v1',
      'models',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5c',
      '\\',
      ';',
      '?',
      '#',
      '%',
      'a',
      'é',
      '\t',
      ':',
      '@',
      '%41',
      '%20',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const raw = `/${pieces.join('')}`;
        let segments: readonly string[];
        try {
          segments = parsePath(raw);
        } catch {
          return;
        }
        const canonical = `/${segments.join('/')}`;
        expect(new URL(`http://gateway${raw}`).pathname.replace(/(.)\/$/, '$1')).toBe(canonical);
        expect(segments.filter((segment) => segment === '' || segment === '.' || segment === '..')).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});
