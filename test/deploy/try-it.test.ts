import { expect, test } from 'vitest';
import { banner } from '../../deploy/standalone/banner.ts';
import { readResources } from '../../deploy/standalone/load/resources.ts';
import { tryCommand } from '../../deploy/standalone/try-it.ts';
import { judge } from '../../deploy/standalone/verdict.ts';
import type { GatewayConfig } from '../../proxy/config/schema.ts';
import { provider } from './manifests.ts';

function compile(...specs: readonly string[]): GatewayConfig {
  const routes = specs.map(
    (spec, index) =>
      `apiVersion: sluice.dev/v1alpha1\nkind: LLMRoute\nmetadata: {name: r${index}}\nspec: {${spec}}\n---\n`,
  );
  const resources = readResources([{ path: 'a.yaml', text: provider('p') + routes.join('') }], {});
  const settings = { className: 'default', now: 0, lastRevision: 0, disableSecondsDefault: 600 };
  const { config, problems } = judge({ ...resources, files: ['a.yaml'], unreadable: [] }, settings);
  expect(problems).toEqual([]);
  return config;
}

const open = 'access: {mode: Anonymous}';
const rules = (model = ', model: large'): string =>
  `rules: [{name: d, backends: [{name: b, providerRef: {name: p}${model}}]}]`;
const json = "-H 'content-type: application/json'";
const chat = (model: string): string => `-d '{${model}"messages":[{"role":"user","content":"Hello"}]}'`;

test.each([
  ['a path', `path: /a, ${open}, ${rules()}`, `/a/ ${json} ${chat('')}`],
  [
    'a public model',
    `models: [{name: m}], ${open}, ${rules()}`,
    `/v1/chat/completions ${json} ${chat('"model":"m",')}`,
  ],
  [
    'the beginning of models',
    `models: [{name: lar, type: Prefix}], ${open}, ${rules()}`,
    `/v1/chat/completions ${json} ${chat('"model":"large",')}`,
  ],
  ['a client key', `path: /a, ${rules()}`, `/a/ -H "authorization: Bearer $SLUICE_KEY" ${json} ${chat('')}`],
  [
    'another protocol',
    `path: /a, protocol: OpenAIResponses, ${open}, ${rules()}`,
    `/a/ ${json} -d '{"input":"Hello"}'`,
  ],
  [
    'embeddings',
    `models: [{name: e}], protocol: OpenAIEmbeddings, ${open}, ${rules()}`,
    `/v1/embeddings ${json} -d '{"model":"e","input":"Hello"}'`,
  ],
])('the command for a route with %s', (_what, spec, expected) => {
  expect(tryCommand(compile(spec), 'localhost:1')).toBe(`curl http://localhost:1${expected}`);
});

test('a route that is open to everybody is shown first', () => {
  expect(tryCommand(compile(`path: /a, ${rules()}`, `path: /b, ${open}, ${rules()}`), 'h:1')).toContain(
    'curl http://h:1/b/ ',
  );
});

test('a route without backends is not shown, and said to have none', () => {
  const config = compile(`path: /a, ${open}, ${rules()}`, `path: /b, ${rules()}`);
  const routes = config.routes.map((route, index) => ({
    ...route,
    rules: index === 0 ? route.rules.map((rule) => ({ ...rule, backends: [] })) : route.rules,
  }));
  expect(tryCommand({ ...config, routes }, 'h:1')).toContain('curl http://h:1/b/ ');
  expect(tryCommand({ ...config, routes: routes.slice(0, 1) }, 'h:1')).toBeUndefined();
  const listening = { data: { host: '127.0.0.1', port: 1 }, admin: { host: '127.0.0.1', port: 2 } };
  expect(banner('0', listening, { ...config, routes })).toContain(
    '  route     default/r0: /a → no backend (open to everybody)',
  );
});

test('the banner says what listens where, what is served, and what to try', () => {
  const listening = { data: { host: '0.0.0.0', port: 80 }, admin: { host: '::1', port: 81 } };
  expect(
    banner('1.2.3', listening, compile(`path: /a, models: [{name: m}, {name: gpt-, type: Prefix}], ${rules()}`)),
  ).toEqual([
    'sluice 1.2.3',
    '  requests  http://localhost:80',
    '  admin     http://[::1]:81  /metrics /readyz /state',
    '  route     default/r0: /a, m, gpt-* → b (with a client key)',
    'try it:',
    expect.stringMatching(/^ {2}curl http:\/\/localhost:80\/a\/ /),
  ]);
});

test('a long list of routes is cut', () => {
  const many = compile(...Array.from({ length: 15 }, (_, index) => `path: /p${index}, ${rules()}`));
  const lines = banner('1', { data: { host: 'a', port: 1 }, admin: { host: 'a', port: 2 } }, many);
  expect(lines.filter((line) => line.startsWith('  route '))).toHaveLength(12);
  expect(lines).toContain('  … and 3 more');
});
