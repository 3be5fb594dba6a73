// Row 20: what a body says to us is what it says to an upstream, and no body, however odd, costs more than it should. What it
// costs in memory is measured beside it.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, errorOf, type PlainAnswer } from '../../support/client.ts';
import { clientKey, provider } from '../../support/config.ts';
import { openStage, type Stage } from '../../support/stage.ts';

let stage: Stage<'a'>;
beforeAll(async () => {
  stage = await openStage(
    { a: chat('a') },
    {
      route: {
        access: { mode: 'AllKeys', namespaces: ['*'] },
        models: [
          { name: 'small', type: 'Exact' },
          { name: 'large', type: 'Exact' },
        ],
      },
      draft: (usual) => ({
        ...usual,
        clientKeys: [clientKey('narrow', 'narrow-key', { models: ['small'] }), clientKey('wide', 'wide-key')],
      }),
    },
  );
});
afterAll(() => stage[Symbol.asyncDispose]());
beforeEach(() => stage.upstreams.a.forget());

const messages = '"messages":[{"role":"user","content":"x"}]';

function send(
  body: string | Uint8Array,
  path = '/chat/completions',
  headers = {},
  method = 'POST',
): Promise<PlainAnswer> {
  const all = { 'content-type': 'application/json', authorization: 'Bearer narrow-key', ...headers };
  return ask(`${stage.gateway.url}/chat${path}`, { method, body, headers: all });
}

describe('a key for one model does not get another one by a body that can be read in two ways', () => {
  const cases: readonly (readonly [name: string, body: string])[] = [
    ['two models', `{"model":"small","model":"large",${messages}}`],
    ['two models, the other way round', `{"model":"large","model":"small",${messages}}`],
    ['two models, one in escapes', `{"model":"small","mod\\u0065l":"large",${messages}}`],
    ['two models, far apart', `{"model":"small",${messages},"x":"${'y'.repeat(100_000)}","model":"large"}`],
    ['two models by case', `{"model":"small","Model":"large",${messages}}`],
    ['two models by case, the other way round', `{"MODEL":"large","model":"small",${messages}}`],
    ['only one, in capitals', `{"MODEL":"large",${messages}}`],
    ['two objects', `{"model":"small",${messages}}{"model":"large",${messages}}`],
    ['two lines', `{"model":"small",${messages}}\n{"model":"large",${messages}}`],
    ['a list', `[{"model":"small",${messages}},{"model":"large",${messages}}]`],
    ['a comment', `{"model":"small",/*"model":"large",*/${messages}}`],
    ['a line comment', `{"model":"small"//\n,"model":"large",${messages}}`],
    ['a trailing comma', `{"model":"small",${messages},}`],
    ['single quotes', `{'model':'large',"model":"small",${messages}}`],
    ['no quotes', `{model:"large","model":"small",${messages}}`],
    ['a NUL behind it', `{"model":"small",${messages}}\0`],
    ['a NUL in its name', `{"model":"small","model\0":"large",${messages}}`],
    ['UTF-7', `+AHs-"model":"large"+AH0-`],
    ['a list of models', `{"model":["small","large"],${messages}}`],
    ['an object', `{"model":{"toString":"small"},${messages}}`],
    ['no model at all', `{${messages}}`],
    ['a prototype', `{"__proto__":{"model":"small"},${messages}}`],
    ['a constructor', `{"constructor":{"prototype":{"model":"small"}},${messages}}`],
    ['half a character', `{"model":"\\ud800",${messages}}`],
    ['white space', `{"model":" small",${messages}}`],
    ['another case', `{"model":"SMALL",${messages}}`],
  ];

  test.each(cases)('%s', async (_name, body) => {
    const got = await send(body);
    expect([400, 403]).toContain(got.status);
    expect(stage.upstreams.a.requests).toHaveLength(0);
  });

  test.each([
    ['UTF-16', Buffer.from(`{"model":"large",${messages}}`, 'utf16le')],
    [
      'UTF-16 with a mark',
      Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(`{"model":"large",${messages}}`, 'utf16le')]),
    ],
    [
      'broken UTF-8',
      Buffer.concat([Buffer.from('{"model":"small","x":"'), Buffer.of(0xc3, 0x28), Buffer.from(`",${messages}}`)]),
    ],
    [
      'an overlong quote',
      Buffer.concat([Buffer.from('{"model":"small","x":"'), Buffer.of(0xc0, 0xa2), Buffer.from(`",${messages}}`)]),
    ],
  ])('%s', async (_name, body) => {
    expect((await send(body)).status).toBe(400);
    expect(stage.upstreams.a.requests).toHaveLength(0);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '',
  ])('sent as %j to an operation that is not known', async (type) => {
    const got = await send(`{"model":"small",${messages}}`, '/images/generations', { 'content-type': type });
    expect([got.status, errorOf(got).code]).toEqual([403, 'model_not_allowed']);
  });

  test.each([
    ['a query that names another model', '/images/generations?model=large', 'POST'],
    ['a query that names another model in escapes', '/images/generations?x=y&mod%65l=large', 'POST'],
    ['a method whose body means nothing', '/files/f', 'DELETE'],
    ['another such method', '/files', 'OPTIONS'],
  ])('%s', async (_name, path, method) => {
    const got = await send(`{"model":"small"}`, path, {}, method);
    expect([got.status, errorOf(got).code]).toEqual([403, 'model_not_allowed']);
    expect(stage.upstreams.a.requests).toHaveLength(0);
  });

  test('while what names its model plainly is let in, as a known operation and as another', async () => {
    const body = `{"model":"small",${messages}}`;
    expect((await send(body)).status).toBe(200);
    expect((await send(`\ufeff ${body}\n`)).status).toBe(200);
    expect((await send(body, '/images/generations?size=1')).status).toBe(200);
    expect(stage.upstreams.a.requests.map(({ json }) => json['model'])).toEqual(['small', undefined, 'small']);
  });
});

describe('names of members that mean something to the engine', () => {
  test.each([
    `{"model":"small",${messages},"__proto__":{"polluted":true}}`,
    `{"model":"small",${messages},"constructor":{"prototype":{"polluted":true}}}`,
    `{"model":"small",${messages},"stream_options":{"__proto__":{"include_usage":true},"polluted":true},"stream":true}`,
    `{"model":"small",${messages},"toString":1,"hasOwnProperty":2,"valueOf":3,"then":4}`,
  ])('%s', async (body) => {
    const got = await send(body);
    expect(got.status).toBe(200);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const [request] = stage.upstreams.a.requests;
    // Passed on as it came, or with what was asked for: never interpreted.
    expect(request?.body.toString()).toContain(body.includes('__proto__') ? '__proto__' : 'small');
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', ' ', '#', '*', '../x', 'a'.repeat(256)])(
    'the model %j is one that nobody has',
    async (model) => {
      for (const path of ['/v1/chat/completions', '/v1/images/generations']) {
        const headers = { 'content-type': 'application/json', authorization: 'Bearer wide-key' };
        const got = await ask(`${stage.gateway.url}${path}`, {
          body: JSON.stringify(chatRequest('x', { model })),
          headers,
        });
        expect([400, 404]).toContain(got.status);
      }
      expect(stage.upstreams.a.requests).toHaveLength(0);
    },
  );
});

describe('depth and number', () => {
  const tooMuch: readonly (readonly [string, () => string])[] = [
    ['100,000 lists in each other', () => `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['100,000 objects in each other', () => `{"a":${'{"b":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
    ['100,000 lists that do not end', () => `{"a":${'['.repeat(100_000)}`],
    ['a million members', () => `{${Array.from({ length: 1_000_000 }, (_, n) => `"k${n}":1`).join(',')}}`],
    ['a million lists', () => `{"a":[${'[],'.repeat(1_000_000)}[]]}`],
    ['a million objects', () => `{"a":[${'{},'.repeat(1_000_000)}{}]}`],
    ['a million lists in a list', () => `[${'[],'.repeat(1_000_000)}[]]`],
  ];

  test.each(tooMuch)('%s: 400', async (_name, make) => {
    for (const path of ['/chat/completions', '/images/generations']) {
      const got = await send(make(), path);
      expect([400, 403]).toContain(got.status);
    }
    expect(stage.upstreams.a.requests).toHaveLength(0);
  });
});

test('a model that stands in a path stays one segment of it', async () => {
  const azure = { apiVersion: '2024-10-21', deploymentPath: 'Deployment' };
  await using open = await openStage(
    { a: chat('a') },
    {
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map((it) => provider('a', it.baseURL, { type: 'AzureOpenAI', azure })),
      }),
    },
  );
  for (const model of ['\ud800', '..', '.', 'a/../b', '%2e%2e', '?x', '#', 'ü', 'a b']) {
    const got = await ask(`${open.gateway.url}/chat/`, {
      body: JSON.stringify(chatRequest('one', { model })),
      headers: { 'content-type': 'application/json' },
    });
    expect([got.status, model]).toEqual([['\ud800', '..', '.'].includes(model) ? 400 : 200, model]);
  }
  const prefix = '/v1/deployments/';
  for (const { target } of open.upstreams.a.requests) {
    expect(target.startsWith(prefix)).toBe(true);
    expect(target.slice(prefix.length)).toMatch(/^[^/?#]+\/chat\/completions\?api-version=[\d-]+$/);
  }
});
