import { expect, test } from 'vitest';
import { formatProblem } from '../../../deploy/standalone/load/problem.ts';
import { readResources, type Resources } from '../../../deploy/standalone/load/resources.ts';
import { toWorld } from '../../../deploy/standalone/load/world.ts';
import { provider, route } from '../manifests.ts';

function read(
  files: Readonly<Record<string, string>>,
  environment = {},
): Resources & { readonly lines: readonly string[] } {
  const texts = Object.entries(files).map(([path, text]) => ({ path, text }));
  const resources = readResources(texts, environment);
  return { ...resources, lines: resources.problems.map(formatProblem) };
}

const secret = (body: string): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: team-a, labels: {sluice.dev/credential: "true"}}\n${body}\n---\n`;

test('every kind goes to its list, with the file it came from', () => {
  const { providers, routes, keys, namespaces, grants, services, configMaps, origins, lines } = read({
    'a.yaml': provider('p') + route('r', 'p'),
    'b.yaml': [
      'apiVersion: sluice.dev/v1alpha1\nkind: LLMKey\nmetadata: {name: k}\nspec: {type: Client, secretRef: {name: s, key: k}, client: {models: ["*"]}}',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: team-a, labels: {llm: allowed}}',
      'apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {name: g, namespace: b}\nspec: {from: [{group: sluice.dev, kind: LLMRoute, namespace: a}], to: [{group: sluice.dev, kind: LLMProvider}]}',
      'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80, name: http}]}',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {ca.crt: PEM}',
    ].join('\n---\n'),
  });
  expect(lines).toEqual([]);
  expect([providers, routes, keys].map((list) => list.map(({ metadata }) => metadata.name))).toEqual([
    ['p'],
    ['r'],
    ['k'],
  ]);
  expect(namespaces).toEqual([{ name: 'team-a', labels: { llm: 'allowed' } }]);
  expect(grants).toEqual([
    {
      namespace: 'b',
      name: 'g',
      from: [{ group: 'sluice.dev', kind: 'LLMRoute', namespace: 'a' }],
      to: [{ group: 'sluice.dev', kind: 'LLMProvider' }],
    },
  ]);
  expect(services).toEqual([{ namespace: 'default', name: 's', type: 'ClusterIP', ports: [80] }]);
  expect(configMaps).toEqual([{ namespace: 'default', name: 'c', data: { 'ca.crt': 'PEM' } }]);
  expect([...origins]).toEqual([
    ['LLMProvider default/p', 'a.yaml'],
    ['LLMRoute default/r', 'a.yaml'],
    ['LLMKey default/k', 'b.yaml'],
    ['Namespace team-a', 'b.yaml'],
    ['ReferenceGrant b/g', 'b.yaml'],
    ['Service default/s', 'b.yaml'],
    ['ConfigMap default/c', 'b.yaml'],
  ]);
});

test('a Secret is decoded, its stringData expanded and preferred', () => {
  const { secrets, lines } = read(
    {
      'a.yaml': secret('data: {a: c2st\n  MQ==, b: JHtLRVl9, c: eA==}\nstringData: {c: "${KEY}", d: "${NONE:-plain}"}'),
    },
    { KEY: 'sk-2' },
  );
  expect(lines).toEqual([expect.stringMatching(/Secret team-a\/keys data\.a: must be base64/)]);
  expect(secrets[0]?.data).toEqual({ b: '${KEY}', c: 'sk-2', d: 'plain' });
  expect(secrets[0]?.labels).toEqual({ 'sluice.dev/credential': 'true' });
});

test('a Secret has the annotations that are written in its file, and nobody owns it', () => {
  const text = secret('stringData: {key: sk-1}').replace(
    'labels:',
    'annotations: {a: b}, ownerReferences: [{uid: u}], labels:',
  );
  const { secrets, lines } = read({ 'a.yaml': text + secret('').replace('name: keys', 'name: bare') });
  expect(lines).toEqual([]);
  expect(secrets.map(({ annotations, ownerUIDs }) => [annotations, ownerUIDs])).toEqual([
    [{ a: 'b' }, []],
    [{}, []],
  ]);
});

test('line breaks in base64 are as good as to the API server', () => {
  expect(read({ 'a.yaml': secret('data:\n  a: |\n    c2st\n    MQ==\n') }).secrets[0]?.data).toEqual({ a: 'sk-1' });
});

test('a variable that is not set names file, object, key and variable, and leaves the entry out', () => {
  const { secrets, lines } = read({ 'a.yaml': secret('stringData: {one: "${OPENAI_API_KEY}", two: x}') });
  expect(lines).toEqual([
    'a.yaml: Secret team-a/keys stringData.one: the environment variable OPENAI_API_KEY is not set',
  ]);
  expect(secrets[0]?.data).toEqual({ two: 'x' });
});

test('variables are expanded nowhere but in Secrets', () => {
  const { routes, lines } = read(
    { 'a.yaml': route('r', 'p').replace('some-model', '"${MODEL}"') },
    { MODEL: 'gpt-4o' },
  );
  expect(lines).toEqual([]);
  expect(routes[0]?.spec.rules[0]?.backends[0]?.model).toBe('${MODEL}');
});

test('a member that is misspelt or of a wrong type is said of objects of Kubernetes too', () => {
  const wrong =
    'apiVersion: v1\nkind: Secret\nmetadata: {name: k, labels: {sluice.dev/credential: true}}\nstringdata: {a: x}\n';
  expect(read({ 'a.yaml': wrong }).lines).toEqual([
    'a.yaml: Secret default/k metadata.labels.sluice.dev/credential: must be of type string',
    'a.yaml: Secret default/k stringdata: is not a known field',
  ]);
});

test('an object that stands twice names both files; the first stands', () => {
  const { providers, lines } = read({
    'a.yaml': provider('p', { url: 'http://127.0.0.1:1/v1' }),
    'b.yaml': provider('p') + provider('q') + provider('q') + provider('p', { namespace: 'other' }),
  });
  expect(lines).toEqual([
    'b.yaml: LLMProvider default/p metadata.name: is already used by the LLMProvider in a.yaml',
    'b.yaml: LLMProvider default/q metadata.name: is already used by the LLMProvider earlier in this file',
  ]);
  expect(providers.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`)).toEqual([
    'default/p',
    'default/q',
    'other/p',
  ]);
  expect(providers[0]?.spec.endpoint?.url).toBe('http://127.0.0.1:1/v1');
});

test('an object that does not parse keeps its place and says why', () => {
  const { invalid, routes, lines } = read({ 'a.yaml': route('r', 'p', { extra: '\n  pathh: /x' }) + route('s', 'p') });
  expect(lines).toEqual([]);
  expect(invalid).toMatchObject([
    { kind: 'LLMRoute', namespace: 'default', name: 'r', className: 'default', problems: [{ field: 'spec.pathh' }] },
  ]);
  expect(routes.map(({ metadata }) => metadata.name)).toEqual(['s']);
});

test('an object without a name is still said something about', () => {
  const { invalid, lines } = read({ 'a.yaml': route('r', 'p').replace('name: r, ', '') });
  expect(invalid).toEqual([]);
  expect(lines).toEqual(['a.yaml: LLMRoute ? metadata.name: must be given']);
});

test('kinds of others are ignored with a warning, misspelt kinds of ours are errors', () => {
  const { lines } = read({
    'a.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: a}',
    'b.yaml': 'apiVersion: sluice.dev/v1alpha1\nkind: LLMRoutes\nmetadata: {name: r}',
    'c.yaml': 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}',
    'd.yaml': 'kind: LLMRoute',
  });
  expect(lines).toEqual([
    'a.yaml: Deployment a/web: warning: is ignored: Sluice has no use for Deployment of apps/v1',
    'b.yaml: LLMRoutes default/r kind: must be one of LLMProvider, LLMRoute, LLMKey',
    'c.yaml: Service default/s: warning: is ignored: Sluice has no use for Service of serving.knative.dev/v1',
    'd.yaml: must be an object with apiVersion and kind',
  ]);
});

test('another version of our own kinds is an error', () => {
  const { invalid } = read({ 'a.yaml': provider('p').replace('v1alpha1', 'v2') });
  expect(invalid[0]?.problems).toEqual([{ field: 'apiVersion', message: 'must be sluice.dev/v1alpha1' }]);
});

test('the world holds the objects of one class, and where they came from', () => {
  const resources = read({
    'a.yaml': provider('p') + provider('q').replace('spec: {', 'spec: {className: other, '),
    'b.yaml':
      route('r', 'p', { extra: '\n  wrong: 1' }) + route('s', 'p', { extra: '\n  wrong: 1\n  className: other' }),
  });
  const world = toWorld(resources, { className: 'default', now: 5, lastRevision: 3, disableSecondsDefault: 600 });
  expect(world).toMatchObject({
    source: 'files',
    className: 'default',
    now: 5,
    lastRevision: 3,
    disableSecondsDefault: 600,
  });
  expect(world.providers.map(({ metadata }) => metadata.name)).toEqual(['p']);
  expect(world.invalid.map(({ name }) => name)).toEqual(['r']);
  expect(world.grants).toEqual([]);
});
