// What every pod and every permission of the chart must be, in whatever way it is installed: the restricted profile of Pod
// Security, and no more rights than need be. https://kubernetes.io/docs/concepts/security/pod-security-standards/

import { readFileSync } from 'node:fs';
import { describe as group, expect, test } from 'vitest';
import { parse } from 'yaml';
import { combinations } from './combinations.ts';
import { exampleNames, exampleRelease } from './example-values.ts';
import { type Manifest, monitoringKinds, type ReleaseOptions } from './helm.ts';
import { type Container, type PodSpec, podsOf } from './pods.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const { helm, describe } = requiresChartPrograms();

const releases: readonly (readonly [string, ReleaseOptions])[] = [
  ...exampleNames.map((name) => [`ci/${name}.yaml`, exampleRelease(name)] as const),
  ...combinations.map((values) => [JSON.stringify(values), { values, apiVersions: monitoringKinds }] as const),
];

describe('a release', () => {
  group.each(releases)('with %s', (_, release) => judge(release));
});

function judge(release: ReleaseOptions): void {
  test('pods are restricted, bounded, and hold no token that they do not need', async () => {
    const pods = podsOf(await helm.render(release));
    expect(pods.map(({ owner }) => owner).length).toBeGreaterThanOrEqual(3);
    for (const { owner, component, spec } of pods) {
      expect(problemsOfPod(spec, component), owner).toEqual([]);
    }
  });

  test('no permission is a wildcard, or lets its holder take more', async () => {
    const manifests = await helm.render(release);
    for (const role of manifests.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')) {
      expect(problemsOfRole(role), role.metadata.name).toEqual([]);
    }
  });

  test('what is in no namespace is there only where it was asked for', async () => {
    const { watch = {}, rbac = {}, crds = {} } = valuesOf(release);
    const clusterWide = (await helm.render(release)).filter(({ kind }) => /^Cluster|^CustomResource/.test(kind));
    const expected = [
      ...(watch.allNamespaces === true && rbac.create !== false ? ['ClusterRole', 'ClusterRoleBinding'] : []),
      ...((watch.allNamespaces === true || watch.namespaceLabels === true) && rbac.create !== false
        ? ['ClusterRole', 'ClusterRoleBinding']
        : []),
      ...(rbac.aggregateToUserRoles === true ? ['ClusterRole', 'ClusterRole'] : []),
      ...(crds.enabled === false ? [] : Array.from({ length: 3 }, () => 'CustomResourceDefinition')),
    ];
    expect(clusterWide.map(({ kind }) => kind).toSorted()).toEqual(expected.toSorted());
  });
}

/** The toggles that decide, as given. */
interface Toggles {
  readonly watch?: { readonly allNamespaces?: boolean; readonly namespaceLabels?: boolean };
  readonly rbac?: { readonly create?: boolean; readonly aggregateToUserRoles?: boolean };
  readonly crds?: { readonly enabled?: boolean };
}

function valuesOf({ values, valuesFiles = [] }: ReleaseOptions): Toggles {
  return values ?? parse(readFileSync(valuesFiles[0] ?? '', 'utf8'));
}

function problemsOfPod(spec: PodSpec, component: string): readonly string[] {
  const { securityContext = {}, volumes = [], containers, initContainers = [] } = spec;
  const needsToken = component === 'operator' || (component === 'proxy' && watches(spec));
  const checks: Readonly<Record<string, boolean>> = {
    'shares nothing with its node': !spec.hostNetwork && !spec.hostPID && !spec.hostIPC,
    'runs as nobody in particular': securityContext.runAsNonRoot === true && securityContext.runAsUser !== 0,
    'has the seccomp profile of the runtime': securityContext.seccompProfile?.type === 'RuntimeDefault',
    'has a token exactly if it needs one': spec.automountServiceAccountToken === needsToken,
    'gets no variables of Services': spec.enableServiceLinks === false,
    'mounts nothing of its node': volumes.every((volume) =>
      Object.keys(volume).some((kind) => ['emptyDir', 'projected', 'configMap', 'secret'].includes(kind)),
    ),
    'has bounded temporary space': volumes.every(({ emptyDir }) => emptyDir === undefined || !!emptyDir.sizeLimit),
  };
  const failed = Object.entries(checks).flatMap(([sentence, holds]) => (holds ? [] : [sentence]));
  const all = [...containers, ...initContainers];
  return [...failed, ...all.flatMap((one) => problemsOfContainer(one).map((problem) => `${one.name} ${problem}`))];
}

function watches({ containers }: PodSpec): boolean {
  return containers.some(({ env = [] }) => env.some(({ name }) => name === 'SLUICE_WATCH'));
}

function problemsOfContainer(container: Container): readonly string[] {
  const { image, ports = [], resources, securityContext: security = {} } = container;
  const { capabilities = {} } = security;
  const checks: Readonly<Record<string, boolean>> = {
    'cannot gain privileges': security.allowPrivilegeEscalation === false && security.privileged !== true,
    'is not root': security.runAsUser !== 0,
    'has no capabilities': capabilities.drop?.includes('ALL') === true && (capabilities.add ?? []).length === 0,
    'cannot write to its image': security.readOnlyRootFilesystem === true,
    'takes no port of its node': ports.every(({ hostPort }) => hostPort === undefined),
    'says what it needs': resources?.requests?.['cpu'] !== undefined && resources.requests['memory'] !== undefined,
    'has a limit of memory, which is what it requests':
      resources?.limits?.['memory'] !== undefined && resources.limits['memory'] === resources.requests?.['memory'],
    'has no limit of CPU': resources?.limits?.['cpu'] === undefined,
    'names one version of its image': /@sha256:[0-9a-f]{64}$|:(?!latest$)[^:/]+$/.test(image),
  };
  return Object.entries(checks).flatMap(([sentence, holds]) => (holds ? [] : [`does not hold: ${sentence}`]));
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

function problemsOfRole(role: Manifest): readonly string[] {
  const rules = role['rules'] as readonly Rule[];
  return rules.flatMap((rule) => {
    const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs];
    const text = JSON.stringify(rule);
    return [
      ...(words.includes('*') ? [`${text} has a wildcard`] : []),
      ...(rule.verbs.some((verb) => /^(escalate|bind|impersonate)$/.test(verb)) ? [`${text} takes more`] : []),
      ...(rule.resources.some((name) => /\/exec$|\/token$|^pods\/|^nodes/.test(name)) ? [`${text} reaches far`] : []),
      ...(rule.resourceNames?.length === 0 ? [`${text} names nothing, which is everything`] : []),
    ];
  });
}
