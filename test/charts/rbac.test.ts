// The chart grants what deploy/manifests grants (and test/integration/operator/rbac.test.ts proves to be needed), no more and
// no less.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Manifest, parseManifests } from './helm.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const { helm, describe } = requiresChartPrograms();

const manifests = ['operator-rbac.yaml', 'proxy-rbac.yaml'].flatMap((file) =>
  parseManifests(readFileSync(new URL(`../../deploy/manifests/${file}`, import.meta.url), 'utf8')),
);

interface Rule {
  readonly resources: readonly string[];
}

interface Binding {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly namespace: string; readonly name: string }[];
}

/** Who may do what where: `sluice-system/sluice-proxy in sluice-system {"apiGroups":…}`, each rule by itself. */
function grantsOf(objects: readonly Manifest[]): readonly string[] {
  const grants = objects.flatMap((object) => {
    if (object.kind !== 'RoleBinding' && object.kind !== 'ClusterRoleBinding') return [];
    const { roleRef, subjects } = object as unknown as Binding;
    const place = object.metadata.namespace ?? 'all namespaces';
    const role = objects.find(
      ({ kind, metadata }) =>
        kind === roleRef.kind &&
        metadata.name === roleRef.name &&
        (kind === 'ClusterRole' || metadata.namespace === place),
    );
    if (role === undefined) throw new Error(`${object.metadata.name} is bound to nothing`);
    return subjects.flatMap(({ namespace, name }) =>
      (role['rules'] as readonly Rule[]).map((rule) => `${namespace}/${name} in ${place} ${JSON.stringify(rule)}`),
    );
  });
  return grants.toSorted();
}

const everywhere = / in all namespaces /;
const aboutNamespaces = /"resources":\["namespaces"\]/;

describe('permissions', () => {
  test('for all namespaces are those of deploy/manifests', async () => {
    const rendered = await helm.render({ values: { watch: { allNamespaces: true } } });
    expect(grantsOf(rendered)).toEqual(grantsOf(manifests));
    expect(grantsOf(manifests).length).toBeGreaterThan(15);
  });

  test('for some namespaces are the same in each of them, and none is for all', async () => {
    const namespaces = ['team-a', 'team-b'];
    const rendered = await helm.render({ values: { watch: { namespaces } } });
    const expected = grantsOf(manifests).flatMap((grant) => {
      if (aboutNamespaces.test(grant)) return [];
      return everywhere.test(grant) ? namespaces.map((name) => grant.replace(everywhere, ` in ${name} `)) : [grant];
    });
    expect(grantsOf(rendered)).toEqual(expected.toSorted());
  });

  test('are for the namespace of the release where no other is named', async () => {
    expect(grantsOf(await helm.render())).toEqual(
      grantsOf(await helm.render({ values: { watch: { namespaces: ['sluice-system'] } } })),
    );
  });

  test('read the labels of namespaces, and nothing else everywhere, where that is asked for', async () => {
    const rendered = await helm.render({ values: { watch: { namespaceLabels: true } } });
    expect(grantsOf(rendered).filter((grant) => everywhere.test(grant))).toEqual(
      grantsOf(manifests).filter((grant) => aboutNamespaces.test(grant)),
    );
  });

  test('of proxies are none where they do not watch', async () => {
    const rendered = await helm.render({ values: { proxy: { watch: false } } });
    expect(grantsOf(rendered).filter((grant) => grant.includes('sluice-proxy'))).toEqual([]);
  });

  test('follow the class in every name', async () => {
    const rendered = await helm.render({ values: { className: 'blue', watch: { allNamespaces: true } } });
    expect(grantsOf(rendered)).toEqual(grantsOf(manifests).map((grant) => grant.replaceAll('-default', '-blue')));
  });

  test('have their reasons beside them, word by word', () => {
    const template = readFileSync(new URL('../../charts/sluice/templates/_rules.tpl', import.meta.url), 'utf8');
    for (const file of ['operator-rbac.yaml', 'proxy-rbac.yaml']) {
      const text = readFileSync(new URL(`../../deploy/manifests/${file}`, import.meta.url), 'utf8');
      const [, ...documents] = text.split(/^rules:\n/m);
      const reasons = documents.flatMap((rules) => (rules.split(/^---/m)[0] ?? '').match(/^# .*$/gm) ?? []);
      for (const line of reasons) expect(template).toContain(line);
    }
  });
});
