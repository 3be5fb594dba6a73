import { expect, test } from 'vitest';
import { crdManifests } from '../../cluster/crds.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { definitionNames } from './verdict.ts';

const plane = await requiresControlPlane();

interface Definition {
  readonly metadata: { readonly generation: number };
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly message: string }[];
  };
}

plane.describe('an API server', () => {
  const definition = (name: string): Promise<Definition> =>
    plane.shared.request('GET', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`);

  test.each(definitionNames)('establishes %s, and finds nothing in it that is not structural', async (name) => {
    const { conditions } = (await definition(name)).status;
    const statuses = conditions.map(({ type, status }) => [type, status]);
    expect(Object.fromEntries(statuses), JSON.stringify(conditions)).toEqual({
      NamesAccepted: 'True',
      Established: 'True',
    });
  });

  test.each(definitionNames)('serves %s', async (name) => {
    const [plural] = name.split('.');
    const list = await plane.shared.request('GET', `/apis/sluice.dev/v1alpha1/${plural}`);
    expect(list).toMatchObject({ apiVersion: 'sluice.dev/v1alpha1', items: expect.any(Array) });
  });

  test('keeps the definitions as they are written, so that applying them again changes nothing', async () => {
    const input = crdManifests().join('---\n');
    const { stdout, code } = await plane.shared.runKubectl(['diff', '--server-side', '--field-manager=test', '-f-'], {
      input,
    });
    expect(stdout).toBe('');
    expect(code).toBe(0);
    await plane.shared.apply(input);
    for (const name of definitionNames) expect((await definition(name)).metadata.generation).toBe(1);
  });
});
