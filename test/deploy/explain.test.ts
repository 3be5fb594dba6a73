import { expect, test } from 'vitest';
import { explain } from '../../deploy/standalone/explain/explain.ts';
import { parseExplainedRequest } from '../../deploy/standalone/explain/request.ts';
import { readResources } from '../../deploy/standalone/load/resources.ts';
import { judge, type Verdict } from '../../deploy/standalone/verdict.ts';

const now = Date.UTC(2026, 0);

const manifests = `
apiVersion: sluice.dev/v1alpha1
kind: LLMProvider
metadata: {name: own, namespace: team}
spec: {type: VLLM, endpoint: {url: "http://10.0.0.1:8000/v1/", insecureHTTP: Allow}, credentials: {type: None}, attributes: {residency: eu}}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMProvider
metadata: {name: openai, namespace: team}
spec: {type: OpenAI, models: [{name: large, upstreamName: gpt-4o}], attributes: {residency: us}, timeouts: {firstContentSeconds: 20}}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMProvider
metadata: {name: empty, namespace: team}
spec: {type: OpenAI}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMKey
metadata: {name: openai-1, namespace: team}
spec: {type: Upstream, secretRef: {name: keys, key: openai}, upstream: {providerRef: {name: openai}, models: [gpt-*]}}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMKey
metadata: {name: app, namespace: team, labels: {tier: gold}}
spec: {type: Client, secretRef: {name: keys, key: app}, client: {models: [chat, fallback]}}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: team, labels: {sluice.dev/credential: "true"}}
stringData: {openai: CANARY-openai, app: CANARY-app}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMRoute
metadata: {name: chat, namespace: team}
spec:
  path: /chat
  models: [{name: chat}]
  rules:
  - name: eu
    matches:
    - {headers: [{name: X-Region, type: Exact, value: eu}], tenant: other}
    - {cel: 'request.stream && client.tenant == "team"'}
    backends: [{name: own, providerRef: {name: own}, model: llama}]
  - name: default
    strategy: Weighted
    require: [{attribute: {name: residency, operator: In, values: [us]}}, {maxFirstContentMillis: 2000}]
    backends:
    - {name: gpt, providerRef: {name: openai}, model: large, weight: 3, parameters: {set: {temperature: 0}, remove: [user]}}
    - {name: keyless, providerRef: {name: openai}, model: large}
    - {name: near, providerRef: {name: own}, model: llama}
    - {name: other, routeRef: {name: fallback}, priority: 1}
    failover: {statusCodes: ["4xx", 201], whenAllDisabled: Fail, retry: {attempts: 2}, fallbackRouteRef: {name: fallback}, disable: {failures: 3, maxSeconds: 900}}
---
apiVersion: sluice.dev/v1alpha1
kind: LLMRoute
metadata: {name: fallback, namespace: team}
spec:
  models: [{name: fallback}]
  access: {mode: AllKeys}
  rules:
  - name: only
    strategy: Affinity
    affinity: {"on": Header, headerName: X-Session}
    prefer: [{attribute: {name: residency, operator: In, values: [eu]}}]
    backends: [{name: none, providerRef: {name: empty}, model: x}, {name: own, providerRef: {name: own}, model: llama-small}]
`;

function verdict(text = manifests): Verdict {
  const resources = readResources([{ path: 'a.yaml', text }], {});
  const settings = { className: 'default', now, lastRevision: 0, disableSecondsDefault: 600 };
  return judge({ ...resources, files: ['a.yaml'], unreadable: [] }, settings);
}

function explained(request: string): readonly string[] {
  return explain(parseExplainedRequest(request), verdict(), now);
}

test('the files of these tests are in order', () => {
  expect(verdict().problems.filter(({ severity }) => severity === 'error')).toEqual([]);
});

test('the whole way of a request, with every rule, tier, backend and setting', () => {
  expect(explained('POST /chat/completions model=chat key=team/app header:x-region=us')[0]).toMatch(/^POST/);
  expect(explained('POST /v1/chat/completions model=chat key=team/app header:x-region=us').join('\n')).toBe(
    `
POST /v1/chat/completions model=chat key=team/app header:x-region=us
  client      team/app, tenant team
  operation   openai-chat, asks for model chat
  route       team/chat (path /chat; models chat), access AllKeys
  rule        eu: does not match
                the header x-region must be eu; it is us, and the tenant must be other; it is team
                the expression does not hold: request.stream && client.tenant == "team"
              default: matches everything
  priority 0  Weighted among 2:
              gpt: POST https://api.openai.com/v1/chat/completions
                model gpt-4o, sets temperature, removes user, weight 3; key team/openai-1
              keyless: POST https://api.openai.com/v1/chat/completions
                model gpt-4o; key team/openai-1
  priority 1  other: route team/fallback, its rule only
                Affinity by header X-Session among 2, those that the rule prefers first:
                none: out, residency must be one of us
                own: out, residency must be one of us
  excluded    near: out, residency must be one of us
  fallback    team/fallback: route team/fallback, its rule only
                Affinity by header X-Session among 2, those that the rule prefers first:
                none: out, residency must be one of us
                own: out, residency must be one of us
  timeouts    connect 5 s, first content 20 s (streams), response 300 s (others), idle 60 s, total 600 s
  require     usual time to first content at most 2000 ms, once it is known
  failover    at most 3 attempts, after up to 2 retries of the same backend, within 600 s in all
              after every class of failure but ContentFilter, BadRequest, TooLarge
              and after the statuses 400-499, 201
  disable     3 failures within 60 s take a backend out for 600 s, doubling up to 900 s
              when all are disabled: 503 at once
`.trim(),
  );
});

test('a rule that matches by an expression is taken', () => {
  const lines = explained('POST /chat model=chat stream=true key=team/app');
  expect(lines).toContain('  operation   openai-chat, streamed, asks for model chat');
  expect(lines).toContain('  rule        eu: matches');
  expect(lines).toContain(
    '  timeouts    connect 5 s, first content 60 s (streams), response 300 s (others), idle 60 s, total 600 s',
  );
});

test('a pinned backend is the only one', () => {
  const lines = explained('POST /chat/gpt/responses model=chat key=team/app');
  expect(lines).toContain("  rule        default: the path pins its backend gpt, whatever the rule's matches say");
  expect(lines).toContain('  backend     gpt: POST https://api.openai.com/v1/responses');
  expect(lines.join('\n')).not.toContain('fallback');
});

test('a pinned backend that the rule excludes gets nothing', () => {
  const lines = explained('POST /chat/near model=chat key=team/app');
  expect(lines).toContain('  backend     near: out, residency must be one of us');
  expect(lines.at(-1)).toBe('  answer      503 no_backend: The route has no backend that can serve this request.');
});

test('a pinned backend that is left out gets nothing', () => {
  const without = verdict(
    manifests.replace('name: gpt, providerRef: {name: openai}', 'name: gpt, providerRef: {name: gone}'),
  );
  const lines = explain(parseExplainedRequest('POST /chat/gpt model=chat key=team/app'), without, now);
  expect(lines).toContain('  backend     gpt: out, for the reasons given with the route');
  expect(lines.at(-1)).toMatch(/answer +503 no_backend: /);
});

test.each([
  ['POST /chat model=chat', '401 invalid_api_key'],
  ['POST /chat model=chat key=team/unknown', '401 invalid_api_key'],
  ['POST /chat model=gpt-4o key=team/app', '403 model_not_allowed'],
  ['GET /chat/chat/completions key=team/app', '405 method_not_allowed'],
  ['POST /v1/chat/completions key=team/app', '400 model_required'],
  ['POST /../etc', '400 invalid_path'],
])('%s is answered with %s', (request, answer) => {
  expect(explained(request).at(-1)).toContain(`  answer      ${answer}: `);
});

test('which backends a rule prefers, and which are spares', () => {
  const more = manifests.replace(
    'model: llama-small}',
    'model: llama-small}, {name: spare, providerRef: {name: own}, weight: 0}',
  );
  const lines = explain(parseExplainedRequest('POST /v1/responses model=fallback key=team/app'), verdict(more), now);
  expect(lines).toContain('  priority 0  Affinity by header X-Session among 3, those that the rule prefers first:');
  expect(lines).toContain('                model llama-small, preferred; no credential');
  expect(lines).toContain('                model fallback, weight 0: a spare, preferred; no credential');
});

test('a rule without any usable backend is answered as the proxy would', () => {
  const without = manifests.replace(
    'providerRef: {name: own}, model: llama-small',
    'providerRef: {name: empty}, model: y',
  );
  const lines = explain(parseExplainedRequest('POST /v1/responses model=fallback key=team/app'), verdict(without), now);
  expect(lines).toContain('              own: out, provider team/empty has no key that can be used');
  expect(lines.at(-1)).toMatch(/answer +503 all_backends_disabled: /);
});

const fallback = `[{name: none, providerRef: {name: empty}, model: x}, {name: own, providerRef: {name: own}, model: llama-small}]`;

test.each([
  ['a route without a backend', '[{name: none, providerRef: {name: gone}}]', 'POST /v1/responses', 'no_backend'],
  [
    'a route without a key',
    '[{name: none, providerRef: {name: empty}}]',
    'POST /v1/responses',
    'all_backends_disabled',
  ],
  ['a pinned backend without a key', fallback, 'POST /fallback/none', 'backend_disabled'],
  [
    'a pinned route without a key',
    '[{name: none, providerRef: {name: empty}}]',
    'POST /chat/to',
    'all_backends_disabled',
  ],
])('what %s answers is what the proxy would', (_what, backends, request, code) => {
  const text = manifests
    .replace('  models: [{name: fallback}]', '  path: /fallback\n  models: [{name: fallback}]')
    .replace(fallback, backends)
    .replace('{name: own, providerRef: {name: own}, model: llama}]', '{name: to, routeRef: {name: fallback}}]');
  const lines = explain(parseExplainedRequest(`${request} model=fallback key=team/app`), verdict(text), now);
  expect(lines.at(-1)).toContain(`  answer      503 ${code}: `);
});

test('a request that no route serves lists those that there are', () => {
  expect(explained('POST /v1/chat/completions model=other')).toEqual([
    'POST /v1/chat/completions model=other',
    '  client      shows no key',
    '  routes      team/chat (path /chat; models chat), access AllKeys',
    '              team/fallback (models fallback), access AllKeys',
    '  answer      404 route_not_found: No route serves this path or model.',
  ]);
});

test('a listing needs no backend', () => {
  expect(explained('GET /v1/models key=team/app').at(-1)).toMatch(/answer +the list of the models/);
});

test('an operation that is not looked at is passed on with its query', () => {
  const lines = explained("GET /chat/own/files?limit=1 key='team/app'");
  expect(lines.join('\n')).toContain('answer      403 model_not_allowed');
});

test('no secret appears', () => {
  for (const request of ['POST /chat model=chat key=team/app', 'POST /chat/gpt model=chat key=team/app']) {
    expect(explained(request).join('\n')).not.toContain('CANARY');
  }
});

test.each([
  ['POST', /must be 'METHOD \/path'/],
  ['post /x', /must be 'METHOD \/path'/],
  ['/x', /must be 'METHOD \/path'/],
  ['POST x', /must be 'METHOD \/path'/],
  ['POST /x colour=red', /"colour=red" is none of these/],
  ['POST /x header:=a', /"header:=a" is none of these/],
])('%s is no request', (text, message) => {
  expect(() => parseExplainedRequest(text)).toThrow(message);
});

test('values may hold blanks, and a key without a namespace is of the default one', () => {
  const request = parseExplainedRequest(`POST /x?a=b header:User-Agent="my app" key=app`);
  expect(request).toMatchObject({ path: '/x', query: '?a=b', key: 'default/app', stream: false, model: undefined });
  expect([...request.headers]).toEqual([['user-agent', 'my app']]);
});
