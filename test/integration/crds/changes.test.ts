import { expect, test } from 'vitest';
import type { Kind } from '../../../crds/group.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { collectionPath, objectOf, verdictOf } from './verdict.ts';

const plane = await requiresControlPlane();
const route = { path: '/a', rules: [{ name: 'all', backends: [{ name: 'a', providerRef: { name: 'a' } }] }] };
const clientKey = { type: 'Client', client: { generate: { secretName: 'a' }, models: ['*'] } };
const upstreamKey = {
  type: 'Upstream',
  secretRef: { name: 'a', key: 'key' },
  upstream: { providerRef: { name: 'a' } },
};

plane.describe('the API server refuses a change', () => {
  test.each([
    { kind: 'LLMProvider', spec: { type: 'OpenAI' } },
    { kind: 'LLMRoute', spec: route },
    { kind: 'LLMKey', spec: clientKey },
  ] as const)('of the class of an $kind', async ({ kind, spec }) => {
    expect(await changed(kind, spec, { ...spec, className: 'blue' })).toEqual({
      ok: false,
      why: expect.stringContaining('className cannot be changed; make a new object'),
    });
  });

  test('of the type of an LLMKey', async () => {
    expect(await changed('LLMKey', clientKey, upstreamKey)).toEqual({
      ok: false,
      why: expect.stringContaining('type cannot be changed; make a new object'),
    });
  });

  test('of the type of an LLMProvider: no, that may change', async () => {
    expect(await changed('LLMProvider', { type: 'OpenAI' }, { type: 'Anthropic' })).toEqual({ ok: true });
  });
});

async function changed(kind: Kind, before: object, after: object) {
  const namespace = await plane.shared.newNamespace();
  const path = collectionPath(kind, namespace);
  const stored = await plane.shared.request<object>('POST', path, objectOf(kind, before, namespace));
  return verdictOf(plane.shared.request('PUT', `${path}/a`, { ...stored, spec: after }));
}
