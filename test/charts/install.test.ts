// Releases on a real API server, over their whole life: what is made at random stays, the definitions stay, and what the
// operator writes is nobody else's. (No kubelet runs the pods: that is for test/e2e.)

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { crdManifests } from '../cluster/crds.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { requiresControlPlanePrograms } from '../support/control-plane.ts';
import { chartFolder, type HelmResult, releaseArgs, type ReleaseOptions } from './helm.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const programs = requiresControlPlanePrograms();
const { helm, describe } = requiresChartPrograms();
const withoutDefinitions = { crds: { enabled: false } };

interface Secret {
  readonly data: Readonly<Record<string, string>>;
}

programs.describe('on an API server', () => {
  describe('a release', () => {
    let plane: ControlPlane;
    let namespace: string;

    beforeAll(async () => {
      plane = await startControlPlane();
    });
    afterAll(() => plane.stop());
    beforeEach(async () => {
      namespace = await plane.newNamespace();
    });

    function run(command: readonly string[]): Promise<HelmResult> {
      return helm.run([...command, `--kubeconfig=${plane.adminKubeconfig}`]);
    }

    async function install(options: ReleaseOptions, ...command: readonly string[]): Promise<void> {
      const words = command.length === 0 ? ['install'] : command;
      const { code, stderr } = await run([...words, ...releaseArgs({ namespace, ...options })]);
      expect(code, stderr).toBe(0);
    }

    async function uninstall(release = 'sluice'): Promise<void> {
      expect(await run(['uninstall', release, `--namespace=${namespace}`])).toMatchObject({ code: 0 });
    }

    function secret(name: string): Promise<Secret> {
      return plane.request('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`);
    }

    test('keeps its definitions, and the objects of their kinds, when it goes, and finds them when it comes back', async () => {
      await install({});
      const path = `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/llmproviders`;
      const provider = { apiVersion: 'sluice.dev/v1alpha1', kind: 'LLMProvider', metadata: { name: 'open' } };
      await plane.request('POST', path, { ...provider, spec: { type: 'OpenAI' } });
      await uninstall();
      await expect(plane.request('GET', `${path}/open`)).resolves.toMatchObject({ spec: { type: 'OpenAI' } });
      await install({});
      await expect(plane.request('GET', `${path}/open`)).resolves.toMatchObject({ spec: { type: 'OpenAI' } });
      await uninstall();
    });

    test('takes definitions over that another has kept, where it is told to, and brings new ones with an upgrade', async () => {
      await expect(install({})).rejects.toThrow('exists and cannot be imported into the current release');
      await install({}, 'install', '--take-ownership');
      const folder = mkdtempSync(join(tmpdir(), 'sluice-next-'));
      try {
        cpSync(chartFolder('sluice'), folder, { recursive: true });
        const file = join(folder, 'templates/crds/sluice.dev_llmkeys.yaml');
        const text = readFileSync(file, 'utf8').replace('description: Upstream or Client.', 'description: New.');
        writeFileSync(file, text);
        const upgraded = await run(['upgrade', 'sluice', folder, `--namespace=${namespace}`]);
        expect(upgraded.code, upgraded.stderr).toBe(0);
        const crd = await plane.request(
          'GET',
          '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/llmkeys.sluice.dev',
        );
        expect(JSON.stringify(crd)).toContain('"description":"New."');
      } finally {
        rmSync(folder, { recursive: true });
        await uninstall();
      }
    });

    test('keeps the tokens that it has made, also when values change', async () => {
      await install({ values: withoutDefinitions });
      const before = [await secret('sluice-admin-token'), await secret('sluice-redis')].map(({ data }) => data);
      await install({ values: { ...withoutDefinitions, proxy: { replicas: 3 } } }, 'upgrade');
      const after = [await secret('sluice-admin-token'), await secret('sluice-redis')].map(({ data }) => data);
      expect(after).toEqual(before);
      const [token] = before
        .flatMap((data) => Object.values(data))
        .map((value) => Buffer.from(value, 'base64').toString());
      expect(token).toMatch(/^[A-Za-z0-9]{40}$/);
    });

    test('takes a token that is given, and starts the pods anew for it', async () => {
      const markOf = async (name: string): Promise<string> => {
        const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
        return JSON.stringify(await plane.request('GET', path)).match(/"sluice.dev\/secrets":"(\w+)"/)?.[1] ?? 'none';
      };
      await install({ values: { ...withoutDefinitions, adminToken: { value: 'first' } } });
      const before = [await markOf('sluice-proxy'), await markOf('sluice-operator')];
      await install({ values: { ...withoutDefinitions, adminToken: { value: 'second' } } }, 'upgrade');
      const after = [await markOf('sluice-proxy'), await markOf('sluice-operator')];
      expect(Buffer.from((await secret('sluice-admin-token')).data['token'] ?? '', 'base64').toString()).toBe('second');
      expect(new Set([...before, ...after]).size).toBe(2);
      expect(after).not.toContain(before[0]);
    });

    test('goes over to an autoscaler without falling to one proxy, as the README says', async () => {
      await install({ values: { ...withoutDefinitions, proxy: { replicas: 4 } } });
      await plane.runKubectl(['scale', `--namespace=${namespace}`, 'deployment/sluice-proxy', '--replicas=5']);
      await install({ values: { ...withoutDefinitions, proxy: { autoscaling: { enabled: true } } } }, 'upgrade');
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/sluice-proxy`;
      await expect(plane.request('GET', path)).resolves.toMatchObject({ spec: { replicas: 5 } });
    });

    test('leaves alone what the operator publishes, through upgrades and its end', async () => {
      await install({ values: withoutDefinitions });
      const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'sluice-default', namespace } };
      const path = `/api/v1/namespaces/${namespace}/configmaps/sluice-default`;
      await plane.apply({ ...configMap, data: { 'index.json': '{}' } });
      await install({ values: { ...withoutDefinitions, proxy: { watch: false } } }, 'upgrade');
      await expect(plane.request('GET', path)).resolves.toMatchObject({ data: { 'index.json': '{}' } });
      await uninstall();
      await expect(plane.request('GET', path)).resolves.toMatchObject({ data: { 'index.json': '{}' } });
    });

    test('stands beside another of another class in its namespace, and one of its name in another', async () => {
      for (const manifest of crdManifests()) await plane.apply(manifest);
      await install({ values: { ...withoutDefinitions, watch: { allNamespaces: true } } });
      await install({
        release: 'blue',
        values: { ...withoutDefinitions, className: 'blue', watch: { allNamespaces: true } },
      });
      const other = await plane.newNamespace();
      const values = { ...withoutDefinitions, className: 'other', watch: { namespaces: [namespace] } };
      await install({ namespace: other, values });
      const { items } = await plane.request<{ items: { metadata: { name: string } }[] }>(
        'GET',
        `/apis/apps/v1/namespaces/${namespace}/deployments`,
      );
      const names = ['operator', 'proxy', 'redis'].flatMap((part) => [`blue-sluice-${part}`, `sluice-${part}`]);
      expect(items.map(({ metadata }) => metadata.name).toSorted()).toEqual(names.toSorted());
    });
  });
});
