import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kinds } from '../../crds/group.ts';
import { parseResource } from '../../crds/parse-resource.ts';

const head = { apiVersion: 'sluice.dev/v1alpha1', metadata: { name: 'a' } };
const provider = { ...head, kind: 'LLMProvider', spec: { type: 'OpenAI' } };
const route = {
  ...head,
  kind: 'LLMRoute',
  spec: { path: '/a', rules: [{ name: 'all', backends: [{ name: 'a', providerRef: { name: 'a' } }] }] },
};

describe('a resource', () => {
  test('is in the namespace "default" where a file names none', () => {
    const result = parseResource('LLMProvider', provider);
    expect(result.ok && result.resource.metadata.namespace).toBe('default');
  });

  test('has the defaults that the documentation names', () => {
    const result = parseResource('LLMRoute', route);
    expect(result.ok && result.resource.spec).toEqual({
      className: 'default',
      path: '/a',
      protocol: 'OpenAIChat',
      access: { mode: 'AllKeys' },
      rules: [
        {
          name: 'all',
          backends: [{ name: 'a', providerRef: { name: 'a' } }],
          strategy: 'Random',
          failover: {
            maxAttempts: 3,
            retry: { attempts: 0, baseMillis: 200, maxMillis: 5000, jitterPercent: 20 },
            retryBudgetPercent: 20,
            whenAllDisabled: 'SoonestExpiring',
            holdSeconds: 15,
            afterContent: 'Error',
            disable: { failures: 1, windowSeconds: 60 },
          },
        },
      ],
    });
  });

  test('keeps what is null inside the free JSON of a parameter', () => {
    const backend = {
      name: 'a',
      providerRef: { name: 'a' },
      parameters: { set: { format: { schema: null }, seed: null } },
    };
    const result = parseResource('LLMRoute', {
      ...route,
      spec: { path: '/a', rules: [{ name: 'all', backends: [backend] }] },
    });
    expect(result.ok && result.resource.spec.rules[0]?.backends[0]?.parameters?.set).toEqual({
      format: { schema: null },
    });
  });

  test('loses a status that does not parse, and is accepted', () => {
    const result = parseResource('LLMProvider', { ...provider, status: { conditions: 'from another release' } });
    expect(result).toMatchObject({ ok: true });
    expect(result.ok && result.resource.status).toBeUndefined();
  });

  test('keeps a status that parses', () => {
    const result = parseResource('LLMProvider', { ...provider, status: { keys: { usable: 1, total: 2 } } });
    expect(result.ok && result.resource.status).toEqual({ keys: { usable: 1, total: 2 } });
  });
});

describe('problems', () => {
  test('name every unknown member by itself', () => {
    const result = parseResource('LLMProvider', { ...provider, spec: { type: 'OpenAI', url: 'a', tls: { ca: 'b' } } });
    expect(result).toEqual({
      ok: false,
      problems: [
        { field: 'spec.tls.ca', message: 'is not a known field' },
        { field: 'spec.url', message: 'is not a known field' },
      ],
    });
  });

  test('are found in metadata that a person wrote, but not in what the API server sent', () => {
    const misspelt = { ...provider, metadata: { name: 'a', lables: {} } };
    expect(parseResource('LLMProvider', misspelt)).toMatchObject({ problems: [{ field: 'metadata.lables' }] });
    const stored = { ...provider, metadata: { name: 'a', uid: 'b', fromTheFuture: {} } };
    expect(parseResource('LLMProvider', stored)).toMatchObject({ ok: true });
  });

  test('tell what is missing from what has the wrong type', () => {
    const result = parseResource('LLMRoute', { ...route, spec: { path: 1 } });
    expect(result.ok ? [] : result.problems).toEqual([
      { field: 'spec.path', message: 'must be of type string' },
      { field: 'spec.rules', message: 'must be given' },
    ]);
  });

  test('tell another kind and another version', () => {
    const result = parseResource('LLMRoute', { ...route, apiVersion: 'sluice.dev/v1', kind: 'LLMProvider' });
    expect(result.ok ? [] : result.problems).toEqual([
      { field: 'apiVersion', message: 'must be sluice.dev/v1alpha1' },
      { field: 'kind', message: 'must be LLMRoute' },
    ]);
  });

  test.each(kinds)('of any value as %s are reported, never thrown', (kind) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record({
            apiVersion: fc.jsonValue(),
            metadata: fc.jsonValue(),
            spec: fc.jsonValue(),
            status: fc.jsonValue(),
          }),
        ),
        (value) => {
          const result = parseResource(kind, value);
          expect(result.ok || result.problems.every(({ message }) => message !== '')).toBe(true);
        },
      ),
    );
  });
});
