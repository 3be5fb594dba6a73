// A real API server takes every object of every example: no member that it does not know, nothing that the restricted profile
// of Pod Security warns of. (Without storing anything: no kubelet would run the pods.)

import { beforeAll, expect, test } from 'vitest';
import { requiresControlPlane } from '../support/control-plane.ts';
import { exampleNames, exampleRelease } from './example-values.ts';
import { type Manifest, type ReleaseOptions } from './helm.ts';
import { monitoringDefinitions } from './monitoring-crds.ts';
import { podsOf, type RenderedPod } from './pods.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const plane = await requiresControlPlane();
const { helm, describe } = requiresChartPrograms();

plane.describe('an API server', () => {
  describe('that enforces the restricted profile', () => {
    let namespaces: readonly string[];

    beforeAll(async () => {
      const { shared } = plane;
      for (const definition of monitoringDefinitions) await shared.apply(definition);
      namespaces = [await shared.newNamespace(), await shared.newNamespace()];
      for (const name of namespaces) {
        const labels = Object.fromEntries(
          ['enforce', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']),
        );
        await shared.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
        await shared.apply({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'default', namespace: name },
        });
      }
    });

    function inNamespace(name: string): ReleaseOptions {
      const [home = '', other = ''] = namespaces;
      const values = name === 'namespaces' ? { watch: { namespaces: [home, other] } } : {};
      return { ...exampleRelease(name), namespace: home, values };
    }

    /** What it says against them; nothing is what is wanted. */
    async function offer(manifests: readonly Manifest[]): Promise<string> {
      const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--warnings-as-errors'];
      const items = manifests.map((manifest) => {
        const isClusterWide = /^Cluster|^CustomResource/.test(manifest.kind);
        const home = isClusterWide ? {} : { namespace: namespaces[0] };
        return { ...manifest, metadata: { ...home, ...manifest.metadata } };
      });
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      const { code, stderr } = await plane.shared.runKubectl([...args, '--filename=-'], { input });
      return code === 0 ? stderr : stderr || `kubectl ends with ${code}`;
    }

    // Pods of Deployments are judged only when somebody makes them: here, each beside its Deployment.
    test.for(exampleNames)('takes all of ci/%s.yaml, and its pods', async (name) => {
      const manifests = await helm.render(inNamespace(name));
      expect(await offer([...manifests, ...podsOf(manifests).map(toPod)])).toBe('');
    });

    test('does not take a member that is misspelt, nor a pod that is not restricted', async () => {
      const [deployment] = (await helm.render(inNamespace('default'))).filter(({ kind }) => kind === 'Deployment');
      const misspelt = { ...deployment, spec: { ...(deployment?.['spec'] as object), replica: 2 } };
      expect(await offer([misspelt as Manifest])).toMatch(/unknown field.*replica/);
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'loose' },
        spec: { containers: [{ name: 'a', image: 'a:1' }] },
      };
      expect(await offer([pod])).toContain('violates PodSecurity "restricted');
    });
  });
});

/** Without the account and the priority, which are not there when nothing is stored. */
function toPod({ owner, labels, spec }: RenderedPod): Manifest {
  const name = owner.toLowerCase().replace('/', '-');
  const own = { ...spec, serviceAccountName: 'default', priorityClassName: undefined };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec: own };
}
