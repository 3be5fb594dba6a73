import { beforeAll, expect, test } from 'vitest';
import type { Kind } from '../../../crds/group.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { collectionPath, objectOf } from './verdict.ts';

const plane = await requiresControlPlane();

plane.describe('kubectl', () => {
  let namespace = '';
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr, code } = await plane.shared.runKubectl([`--namespace=${namespace}`, ...args]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    return stdout;
  };
  const create = async (kind: Kind, name: string, spec: object, status: object): Promise<void> => {
    const path = collectionPath(kind, namespace);
    const stored = await plane.shared.request<object>('POST', path, objectOf(kind, spec, namespace, name));
    await plane.shared.request('PUT', `${path}/${name}/status`, { ...stored, status });
  };

  beforeAll(async () => {
    namespace = await plane.shared.newNamespace();
    const upstream = { secretRef: { name: 'openai', key: 'key' }, upstream: { providerRef: { name: 'openai' } } };
    const client = { generate: { secretName: 'shop-key' }, models: ['*'] };
    const rules = [{ name: 'all', backends: [{ name: 'a', providerRef: { name: 'openai' } }] }];
    await create('LLMProvider', 'openai', { type: 'OpenAI' }, { summary: { keys: '2/3' }, ...ready('True', 'Ready') });
    await create(
      'LLMRoute',
      'chat',
      { path: '/chat', rules },
      {
        summary: { models: 'chat', backends: '1/1', strategies: 'Random' },
        ...ready('False', 'ProviderNotFound'),
      },
    );
    await create('LLMKey', 'one', { type: 'Upstream', ...upstream }, unusable('QuotaExhausted'));
    await create('LLMKey', 'shop', { type: 'Client', client }, { tenant: 'shop', secretName: 'shop-key' });
  });

  test('shows columns that say how things stand', async () => {
    expect(table(await kubectl('get', 'llmp'))).toEqual([
      { NAME: 'openai', TYPE: 'OpenAI', KEYS: '2/3', READY: 'True', AGE: expect.any(String) },
    ]);
    expect(table(await kubectl('get', 'llmr'))).toEqual([
      { NAME: 'chat', PATH: '/chat', MODELS: 'chat', BACKENDS: '1/1', READY: 'False', AGE: expect.any(String) },
    ]);
  });

  test('shows more of them with -o wide', async () => {
    const [upstream, client] = table(await kubectl('get', 'llmk', '-o', 'wide'));
    expect(upstream).toMatchObject({ NAME: 'one', PROVIDER: 'openai', USABLE: 'False', REASON: 'QuotaExhausted' });
    expect(client).toMatchObject({ NAME: 'shop', TYPE: 'Client', TENANT: 'shop', SECRET: 'shop-key' });
    expect(table(await kubectl('get', 'llmr', '-o', 'wide'))).toMatchObject([
      { STRATEGY: 'Random', REASON: 'ProviderNotFound', CLASS: 'default' },
    ]);
  });

  test('selects keys by their type', async () => {
    expect(await kubectl('get', 'llmk', '--field-selector=spec.type=Client', '-o', 'name')).toBe(
      'llmkey.sluice.dev/shop\n',
    );
    expect(await kubectl('get', 'llmk', '--field-selector=spec.type=Upstream', '-o', 'name')).toBe(
      'llmkey.sluice.dev/one\n',
    );
  });

  test('lists all kinds as one category', async () => {
    expect((await kubectl('get', 'llm', '-o', 'name')).trim().split('\n').toSorted()).toEqual([
      'llmkey.sluice.dev/one',
      'llmkey.sluice.dev/shop',
      'llmprovider.sluice.dev/openai',
      'llmroute.sluice.dev/chat',
    ]);
  });

  test('explains a field in words', async () => {
    const failover = await kubectl('explain', 'llmroute.spec.rules.failover');
    expect(failover).toContain('What happens when a backend fails.');
    expect(failover).toMatch(/ whenAllDisabled\t<string>\n +enum: .*SoonestExpiring/);
    expect(failover).toMatch(/ maxAttempts\t<integer>\n {4}\S/);
    expect(await kubectl('explain', 'llmp.spec.type')).toContain('ENUM:');
    expect(await kubectl('explain', 'llmkey.spec.client.budgets.amount')).toContain('US dollars');
  });

  test.each(['llmprovider', 'llmroute', 'llmkey'])('has a word on every field of an %s', async (kind) => {
    const { components } = await plane.shared.request<{ readonly components: { readonly schemas: object } }>(
      'GET',
      '/openapi/v3/apis/sluice.dev/v1alpha1',
    );
    const [, schema] =
      Object.entries(components.schemas).find(([name]) => name.toLowerCase().endsWith(`.${kind}`)) ?? [];
    expect(schema).toBeDefined();
    expect(undescribed(schema, kind)).toEqual([]);
    expect(undescribed({ properties: { spec: {} } }, kind)).toEqual([`${kind}.spec`]);
  });
});

function ready(status: string, reason: string) {
  return { conditions: [condition('Ready', status, reason)] };
}

function unusable(reason: string) {
  return { conditions: [condition('Usable', 'False', reason), condition('Ready', 'False', reason)] };
}

function condition(type: string, status: string, reason: string) {
  return { type, status, reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' };
}

/** Reads a table of kubectl: columns begin where their heading does. */
function table(text: string): readonly Readonly<Record<string, string>>[] {
  const [head = '', ...rows] = text.trimEnd().split('\n');
  const columns = [...head.matchAll(/\S+ */g)].map((match) => ({ name: match[0].trim(), start: match.index }));
  return rows.map((row) =>
    Object.fromEntries(
      columns.map(({ name, start }, index) => [name, row.slice(start, columns[index + 1]?.start).trim()]),
    ),
  );
}

/** The fields without a description. */
function undescribed(node: unknown, path: string): readonly string[] {
  const { properties = {}, items, additionalProperties } = Object(node) as Readonly<Record<string, object>>;
  const members = Object.entries(properties);
  return [
    ...members.filter(([, member]) => !Reflect.get(Object(member), 'description')).map(([name]) => `${path}.${name}`),
    ...members
      .filter(([name]) => name !== 'metadata')
      .flatMap(([name, member]) => undescribed(member, `${path}.${name}`)),
    ...(items === undefined ? [] : undescribed(items, `${path}[]`)),
    ...(additionalProperties === undefined ? [] : undescribed(additionalProperties, `${path}{}`)),
  ];
}
