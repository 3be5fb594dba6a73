// A release is installed on a real API server; then its containers' commands run here, with their environment, the release's
// Secrets and the tokens of its ServiceAccounts. What a kubelet would add is the network of pods.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Program, startProgram } from '../integration/standalone/program.ts';
import { chat } from '../support/chat.ts';
import { requiresControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { readResource, waitForCondition } from '../support/resource-status.ts';
import { type ScriptedUpstream, startUpstream } from '../support/upstream.ts';
import { type Manifest, parseManifests, releaseArgs } from './helm.ts';
import { type Container, containerOf, environmentOf } from './pods.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const plane = await requiresControlPlane();
const { helm, describe } = requiresChartPrograms();

plane.describe('on an API server', () => {
  describe('what was installed', () => {
    const { shared } = plane;
    const folder = mkdtempSync(join(tmpdir(), 'sluice-installed-'));
    let namespace: string;
    let manifests: readonly Manifest[];
    let secrets: ReadonlyMap<string, Readonly<Record<string, string>>>;
    let upstream: ScriptedUpstream;
    let proxy: Program;
    let operator: Program;
    let urls: { readonly data: string; readonly admin: string };

    beforeAll(async () => {
      upstream = await startUpstream(chat('own'));
      namespace = await shared.newNamespace();
      // Upstreams of tests are on loopback; the class is one that no other test has.
      const proxies = { replicas: 1, allowEndpointCidrs: ['127.0.0.0/8'] };
      const values = { className: namespace, crds: { enabled: false }, redis: { type: 'None' }, proxy: proxies };
      const kubeconfig = `--kubeconfig=${shared.adminKubeconfig}`;
      const installed = await helm.run(['install', ...releaseArgs({ namespace, values }), kubeconfig]);
      expect(installed.code, installed.stderr).toBe(0);
      const got = await helm.run(['get', 'manifest', 'sluice', `--namespace=${namespace}`, kubeconfig]);
      const hooks = await helm.run(['get', 'hooks', 'sluice', `--namespace=${namespace}`, kubeconfig]);
      manifests = parseManifests(got.stdout).concat(parseManifests(hooks.stdout));
      secrets = new Map(
        manifests
          .filter(({ kind }) => kind === 'Secret')
          .map(({ metadata, data }) => [metadata.name, data as Readonly<Record<string, string>>]),
      );
      proxy = await start('proxy', { SLUICE_CONFIG: folder, SLUICE_LISTEN: '127.0.0.1:0' });
      const [, data = '', admin = ''] = await proxy.says(/"data":"([^"]+)","admin":"([^"]+)","msg":"listening"/);
      urls = { data: `http://${data}`, admin: `http://${admin}` };
      operator = await start('operator', { SLUICE_PROXY_ADMIN: admin });
    });

    afterAll(async () => {
      await operator[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    });

    /** The environment of a container, with what is different where there is no network of pods. */
    function environment(container: Container, differs: Readonly<Record<string, string>>): Record<string, string> {
      const own = environmentOf(container, ({ name, key }) =>
        Buffer.from(secrets.get(name)?.[key] ?? '', 'base64').toString(),
      );
      return { ...own, ...differs };
    }

    async function start(component: string, differs: Readonly<Record<string, string>>): Promise<Program> {
      const container = containerOf(manifests, component);
      const kubeconfig = await shared.kubeconfigFor(namespace, `sluice-${component}`);
      const usual = { SLUICE_ADMIN: '127.0.0.1:0', KUBECONFIG: kubeconfig, ...differs };
      return startProgram(container.args ?? [], { environment: environment(container, usual) });
    }

    test('is ready before anybody has written anything', async () => {
      await eventually(async () => (await fetch(`${urls.admin}/readyz`)).ok, 15_000);
      await operator.says(/"msg":"listening"/);
    });

    test('serves what is applied, and says so in its status', async () => {
      const object = (kind: string, name: string, spec: object): object => ({
        apiVersion: 'sluice.dev/v1alpha1',
        kind,
        metadata: { name, namespace },
        spec: { className: namespace, ...spec },
      });
      const endpoint = { url: upstream.baseURL, insecureHTTP: 'Allow' };
      const credentials = { type: 'None' };
      await shared.apply(object('LLMProvider', 'own', { type: 'OpenAICompatible', endpoint, credentials }));
      const backends = [{ name: 'own', providerRef: { name: 'own' }, model: 'any' }];
      await shared.apply(
        object('LLMRoute', 'chat', { models: [{ name: 'chat' }], rules: [{ name: 'all', backends }] }),
      );
      const client = { models: ['chat'], generate: { secretName: 'app-llm-key' } };
      await shared.apply(object('LLMKey', 'app', { type: 'Client', client }));
      await waitForCondition(shared, 'LLMRoute', [namespace, 'chat'], 'Ready=True/Ready');
      await waitForCondition(shared, 'LLMKey', [namespace, 'app'], 'Ready=True/Ready');
      // From the proxy's own answer, which the token opened: no pod was there to be asked.
      expect(await readResource(shared, 'LLMRoute', namespace, 'chat')).toMatchObject({
        status: { conditions: expect.arrayContaining([expect.objectContaining({ reason: 'Programmed' })]) },
      });
    });

    test('answers the request of helm test, with the key that was made', async () => {
      const path = `/api/v1/namespaces/${namespace}/secrets/app-llm-key`;
      const { data } = await shared.request<{ readonly data: { readonly key: string } }>('GET', path);
      const container = containerOf(manifests, 'test');
      const [, ...flags] = container.command ?? [];
      const env = environment(container, {
        SLUICE_URL: urls.data,
        MODEL: 'chat',
        CLIENT_KEY: Buffer.from(data.key, 'base64').toString(),
      });
      const output = await new Promise<string>((resolve) => {
        execFile(process.execPath, [...flags, ...(container.args ?? [])], { env }, (_error, stdout, stderr) =>
          resolve(stdout + stderr),
        );
      });
      expect(output).toMatch(/GET \/v1\/models: 200 [^]*POST \/v1\/chat\/completions: 200 [^]*x-sluice-backend: own/);
    });

    test('shows who has no token neither state nor configuration', async () => {
      for (const path of ['/config', '/state']) expect((await fetch(urls.admin + path)).status).toBe(401);
      const token = Buffer.from(secrets.get('sluice-admin-token')?.['token'] ?? '', 'base64').toString();
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${urls.admin}/state`, { headers })).status).toBe(200);
    });

    test('ends well within its grace period', async () => {
      for (const program of [proxy, operator]) {
        program.process.kill('SIGTERM');
        expect(await program.ended, program.err()).toBe(0);
      }
    });
  });
});
