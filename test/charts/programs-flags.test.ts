// What containers are started with is what the programs understand: variables, ports, paths of probes.

import { expect, test } from 'vitest';
import { operatorOptions, operatorVariables, readOperatorSettings } from '../../deploy/standalone/operator-options.ts';
import { createRoutes } from '../../proxy/admin/routes.ts';
import { gatewayVariables } from '../../proxy/command-line/gateway-options.ts';
import { proxyOptions, readProxyOptions } from '../../proxy/command-line/proxy-command.ts';
import { exampleNames, exampleRelease } from './example-values.ts';
import type { Manifest } from './helm.ts';
import { type Container, containerOf, environmentOf, podOf } from './pods.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const { helm, describe } = requiresChartPrograms();

/** In a pod, with secrets that are their own names. */
function environmentIn(container: Container): Readonly<Record<string, string>> {
  const ofPod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
  return { ...ofPod, ...environmentOf(container, (ref) => JSON.stringify(ref)) };
}

function portsOf({ ports = [] }: Container): Readonly<Record<string, number>> {
  return Object.fromEntries(ports.map(({ name, containerPort }) => [name, containerPort]));
}

const others = ['NODE_OPTIONS', 'REDIS_PASSWORD', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
const variablesOf = (options: object, variables: object): readonly string[] => [
  ...Object.values(options).map(({ variable }: { readonly variable: string }) => variable),
  ...Object.keys(variables),
  ...others,
];

describe('the proxy', () => {
  test.for(exampleNames)('understands what ci/%s.yaml starts it with', async (name) => {
    const manifests = await helm.render(exampleRelease(name));
    const pod = podOf(manifests, 'proxy');
    const container = containerOf(manifests, 'proxy');
    const known = variablesOf(proxyOptions, gatewayVariables);
    expect((container.env ?? []).map((entry) => entry.name).filter((entry) => !known.includes(entry))).toEqual([]);
    const options = readProxyOptions({}, environmentIn(container), '0');
    expect(container.args).toEqual(['proxy']);
    expect(portsOf(container)).toEqual({ http: options.listen.port, admin: options.admin.port });
    expect(options.admin.token).toBeDefined();
    expect(options.configDirectory).toBe(mountPathOf(container, 'config'));
    const preStopSeconds = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    expect(pod.spec.terminationGracePeriodSeconds).toBe(options.drainMs / 1000 + preStopSeconds + 10);
  });

  test('is probed at paths that are open to everybody', async () => {
    const container = containerOf(await helm.render(), 'proxy');
    const open = createRoutes({} as never, {} as never).filter(({ access }) => access === 'open');
    const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const;
    expect(probes.map((probe) => container[probe]?.httpGet)).toEqual(
      ['/livez', '/readyz', '/livez'].map((path) => ({ path, port: 'admin' })),
    );
    for (const path of ['/livez', '/readyz', '/metrics']) expect(open.map((route) => route.path)).toContain(path);
  });

  test('watches what its Role names, and mounts the same and all that belongs to it', async () => {
    const manifests = await helm.render({ values: { className: 'blue' } });
    const { watch } = readProxyOptions({}, environmentIn(containerOf(manifests, 'proxy')), '0');
    expect(watch).toMatchObject({ namespace: 'sluice-system', name: 'sluice-blue', kubeconfig: undefined });
    const config = podOf(manifests, 'proxy').spec.volumes?.find((volume) => volume.name === 'config');
    const shards = Array.from({ length: 8 }, (_, shard) => `sluice-blue-${shard}`);
    expect(config).toEqual({
      name: 'config',
      projected: {
        defaultMode: 0o440,
        sources: [
          ...['sluice-blue', ...shards].map((holder) => ({ configMap: { name: holder, optional: true } })),
          { secret: { name: 'sluice-blue-credentials', optional: true } },
        ],
      },
    });
  });

  test('reaches the bundled Redis by its Service, with its password', async () => {
    const manifests = await helm.render();
    const { redisURL } = readProxyOptions({}, environmentIn(containerOf(manifests, 'proxy')), '0');
    expect(redisURL).toMatch(/^redis:\/\/:.*"password".*@sluice-redis:6379$/);
    const service = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'sluice-redis');
    expect(service).toMatchObject({ spec: { ports: [{ port: 6379, targetPort: 'redis' }] } });
    expect(portsOf(containerOf(manifests, 'redis'))).toEqual({ redis: 6379 });
  });

  test('gets a variable of extraEnv in the place of the chart’s own', async () => {
    const extraEnv = [{ name: 'LOG_LEVEL', value: 'trace' }];
    const { env = [] } = containerOf(await helm.render({ values: { proxy: { extraEnv } } }), 'proxy');
    expect(env.filter(({ name }) => name === 'LOG_LEVEL')).toEqual(extraEnv);
    expect(new Set(env.map(({ name }) => name)).size).toBe(env.length);
  });

  test('is left to the HorizontalPodAutoscaler to count', async () => {
    const deployment = (manifests: readonly Manifest[]): unknown =>
      manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'sluice-proxy');
    expect(deployment(await helm.render())).toHaveProperty('spec.replicas', 2);
    const scaled = await helm.render({ values: { proxy: { autoscaling: { enabled: true } } } });
    expect(deployment(scaled)).not.toHaveProperty('spec.replicas');
  });
});

describe('the operator', () => {
  test.for(exampleNames)('understands what ci/%s.yaml starts it with', async (name) => {
    const manifests = await helm.render(exampleRelease(name));
    const container = containerOf(manifests, 'operator');
    const known = variablesOf(operatorOptions, operatorVariables);
    expect((container.env ?? []).map((entry) => entry.name).filter((entry) => !known.includes(entry))).toEqual([]);
    const { operator } = readOperatorSettings({}, environmentIn(container), { version: '0', newId: () => 'id' });
    expect(container.args).toEqual(['operator']);
    expect(portsOf(container)).toEqual({ admin: operator.admin.port });
    expect(operator.installNamespace).toBe('sluice-system');
    expect(operator.credentials).toEqual({ type: 'in-cluster' });
    expect(operator.adminToken).toBe(environmentIn(containerOf(manifests, 'proxy'))['SLUICE_ADMIN_TOKEN']);
  });

  test('finds the pods of its own proxies, and no others', async () => {
    const manifests = await helm.render({ release: 'sluice-two' });
    const { operator } = readOperatorSettings({}, environmentIn(containerOf(manifests, 'operator')), {
      version: '0',
      newId: () => 'id',
    });
    const { labels } = podOf(manifests, 'proxy');
    const selected = Object.fromEntries((operator.proxySelector ?? '').split(',').map((label) => label.split('=')));
    expect(labels).toEqual(selected);
    expect(selected).toMatchObject({ 'app.kubernetes.io/instance': 'sluice-two' });
  });

  test('watches the namespaces that it has permissions in', async () => {
    const watched = async (watch: object): Promise<readonly string[]> => {
      const container = containerOf(await helm.render({ values: { watch } }), 'operator');
      return readOperatorSettings({}, environmentIn(container), { version: '0', newId: () => 'id' }).operator
        .watchNamespaces;
    };
    expect(await watched({})).toEqual(['sluice-system']);
    expect(await watched({ namespaces: ['team-a', 'team-b'] })).toEqual(['team-a', 'team-b']);
    expect(await watched({ allNamespaces: true })).toEqual([]);
  });
});

function mountPathOf(container: Container, volume: string): string | undefined {
  const mounts = Reflect.get(container, 'volumeMounts') as readonly {
    name: string;
    mountPath: string;
    readOnly?: boolean;
  }[];
  return mounts.find(({ name, readOnly }) => name === volume && readOnly === true)?.mountPath;
}
