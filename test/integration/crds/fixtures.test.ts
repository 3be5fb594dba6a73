import { beforeAll, expect, test } from 'vitest';
import { validFixtures, invalidFixtures } from '../../crds/fixture.ts';
import { specNode, withDefaults } from '../../crds/schema-walk.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { collectionPath, namespaceOf, serverVerdict, zodVerdict } from './verdict.ts';

const plane = await requiresControlPlane();
const valid = validFixtures();
const invalid = invalidFixtures();

plane.describe('the API server', () => {
  beforeAll(async () => {
    // Others may have made them: the namespaces are those that the fixtures name.
    for (const namespace of new Set([...valid, ...invalid].map(({ value }) => namespaceOf(value)))) {
      await plane.shared.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    }
  });

  test.each(valid)('accepts $name, as zod does', async ({ kind, value }) => {
    expect(zodVerdict(kind, value)).toEqual({ ok: true });
    expect(await serverVerdict(plane.shared, kind, value)).toEqual({ ok: true });
  });

  test.each(valid)('fills in the same defaults as zod in $name', async ({ kind, value }) => {
    const path = `${collectionPath(kind, namespaceOf(value))}?dryRun=All`;
    const { spec } = await plane.shared.request<{ readonly spec: unknown }>('POST', path, value);
    expect(spec).toEqual(withDefaults(specNode(kind), Reflect.get(Object(value), 'spec')));
  });

  test.each(invalid)('refuses $name, as zod does', async ({ kind, value, field }) => {
    expect(zodVerdict(kind, value).ok).toBe(false);
    // Of labels and annotations the API server names only the map.
    const named = /^metadata\.(labels|annotations)/.exec(field)?.[0] ?? field;
    expect(await serverVerdict(plane.shared, kind, value)).toEqual({ ok: false, why: expect.stringContaining(named) });
  });
});
