import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { requiresControlPlane, requiresControlPlanePrograms } from '../support/control-plane.ts';
import { ApiServerError } from './api-request.ts';
import { startControlPlane } from './control-plane.ts';
import { isAlive } from './folders.ts';

requiresControlPlanePrograms().describe('a control plane of one test', () => {
  test('says which version it is, and leaves no process and no folder', async () => {
    const plane = await startControlPlane();
    const { folder, pids } = plane;
    const { stdout } = await plane.runKubectl(['version', '--output=json']);
    const { clientVersion, serverVersion } = JSON.parse(stdout) as Record<string, { readonly gitVersion: string }>;
    expect(serverVersion?.gitVersion).toMatch(/^v1[.]/);
    expect(serverVersion?.gitVersion).toBe(clientVersion?.gitVersion);
    expect(pids.map(isAlive)).toEqual([true, true]);
    await plane.stop();
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(existsSync(folder)).toBe(false);
  });
});

const plane = await requiresControlPlane();

plane.describe('the control plane that tests share', () => {
  test('collects what is owned by a resource that is deleted', async () => {
    const { shared } = plane;
    const namespace = await shared.newNamespace();
    const providers = `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/llmproviders`;
    const owner = await shared.request<{ readonly metadata: { readonly uid: string } }>('POST', providers, {
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'LLMProvider',
      metadata: { name: 'owner' },
      spec: { type: 'OpenAI' },
    });
    const ownerReferences = [
      { apiVersion: 'sluice.dev/v1alpha1', kind: 'LLMProvider', name: 'owner', uid: owner.metadata.uid },
    ];
    await shared.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'owned', namespace, ownerReferences },
    });
    await shared.request('DELETE', `${providers}/owner`);
    const secret = `/api/v1/namespaces/${namespace}/secrets/owned`;
    await eventually(async () => (await statusOf(shared.request('GET', secret))) === 404, 10_000);
  });

  test('lets a service account do what it may, and nothing else', async () => {
    const { shared } = plane;
    const namespace = await shared.newNamespace();
    await shared.apply(`
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader, namespace: ${namespace} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader, namespace: ${namespace} }
rules: [{ apiGroups: [''], resources: [configmaps], verbs: [list] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader, namespace: ${namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
subjects: [{ kind: ServiceAccount, name: reader }]
`);
    const kubeconfig = await shared.kubeconfigFor(namespace, 'reader', { tokenFile: true });
    expect(await shared.runKubectl(['get', 'configmaps'], { kubeconfig })).toMatchObject({ code: 0 });
    expect(await shared.runKubectl(['get', 'secrets'], { kubeconfig })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('forbidden'),
    });
  });
});

async function statusOf(call: Promise<unknown>): Promise<number> {
  try {
    await call;
    return 200;
  } catch (error) {
    if (error instanceof ApiServerError) return error.status;
    throw error;
  }
}
