// A Prometheus beside a release, which finds the pods as the chart's monitors say and evaluates the chart's rules.

import { parseManifests } from '../charts/helm.ts';
import { ruleGroups } from '../charts/promtool.ts';
import { apply } from './application.ts';
import type { Release } from './release.ts';

/** A Prometheus that runs. */
export interface Prometheus {
  /** How many series answer a query; rejects with what Prometheus says of a query that it does not understand. */
  count(query: string): Promise<number>;
  /** Of each rule: its name and its health, `ok` if it could be evaluated. */
  rules(): Promise<readonly { readonly name: string; readonly health: string; readonly lastError?: string }[]>;
}

/** What the PodMonitor and the ServiceMonitor come to, by the names that a Prometheus Operator gives. */
function config(namespace: string): object {
  const label = '__meta_kubernetes_pod_label_app_kubernetes_io';
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['/etc/prometheus/rules.json'],
    scrape_configs: [
      {
        job_name: 'sluice',
        kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: [namespace] } }],
        relabel_configs: [
          { action: 'keep', source_labels: [`${label}_name`], regex: 'sluice' },
          { action: 'keep', source_labels: ['__meta_kubernetes_pod_container_port_name'], regex: 'admin' },
          { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
          { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
          { source_labels: [`${label}_component`], target_label: 'job' },
        ],
      },
    ],
  };
}

const name = 'prometheus';

function objects(image: string, files: Readonly<Record<string, object>>, namespace: string): readonly object[] {
  const rbac = 'rbac.authorization.k8s.io';
  const data = Object.fromEntries(Object.entries(files).map(([file, content]) => [file, JSON.stringify(content)]));
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: { name },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects,
    },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(image) },
  ];
}

function podSpec(image: string): object {
  return {
    serviceAccountName: name,
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'main',
        image,
        imagePullPolicy: 'IfNotPresent',
        args: ['--config.file=/etc/prometheus/prometheus.json', '--storage.tsdb.path=/data'],
        readinessProbe: { httpGet: { path: '/-/ready', port: 9090 }, periodSeconds: 1 },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'config', mountPath: '/etc/prometheus' },
          { name: 'data', mountPath: '/data' },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name } },
      { name: 'data', emptyDir: { sizeLimit: '256Mi' } },
    ],
  };
}

/** Starts it and waits until it is ready. `rendered` is the release, with the kinds of the Prometheus Operator. */
export async function startPrometheus(release: Release, image: string, rendered: string): Promise<Prometheus> {
  const files = { 'prometheus.json': config(release.namespace), 'rules.json': ruleGroups(parseManifests(rendered)) };
  await apply(release, objects(image, files, release.namespace));
  await release.kubectl(['wait', 'pod/prometheus', '--for=condition=Ready', '--timeout=90s']);
  async function call<T>(path: string): Promise<T> {
    const url = `/api/v1/namespaces/${release.namespace}/pods/prometheus:9090/proxy/api/v1/${path}`;
    const { data } = JSON.parse(await release.cluster.kubectl(['get', '--raw', url])) as { readonly data: T };
    return data;
  }
  return {
    async count(query) {
      const answer = await call<{ readonly result: readonly unknown[] }>(`query?query=${encodeURIComponent(query)}`);
      return answer.result.length;
    },
    async rules() {
      const { groups } = await call<{
        readonly groups: readonly { readonly rules: Awaited<ReturnType<Prometheus['rules']>> }[];
      }>('rules');
      return groups.flatMap(({ rules }) => rules);
    },
  };
}
