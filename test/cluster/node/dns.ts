// CoreDNS as a Deployment, as clusters have it.

import { nodeImages } from './settings.ts';
import type { NodePlace } from './place.ts';

/** Above the ports that only root may have, and no capability needed. */
const port = 5353;

// No forwarding: there is nothing outside. Names are kept for five seconds, as they are by default where they come from.
const corefile = `.:${port} {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
    }
    cache 5
}
`;

/** What is applied. */
export function dnsManifests({ dnsAddress }: NodePlace): readonly object[] {
  const metadata = { name: 'coredns', namespace: 'kube-system' };
  const labels = { 'k8s-app': 'kube-dns' };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: roleRef.name },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces', 'endpoints'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: roleRef.name },
      roleRef,
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: corefile } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec() } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, name: 'kube-dns' },
      spec: {
        selector: labels,
        clusterIP: dnsAddress,
        ports: [
          { name: 'dns', port: 53, targetPort: port, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, targetPort: port, protocol: 'TCP' },
        ],
      },
    },
  ];
}

function podSpec(): object {
  return {
    serviceAccountName: 'coredns',
    dnsPolicy: 'Default',
    priorityClassName: 'system-cluster-critical',
    containers: [
      {
        name: 'coredns',
        image: nodeImages.coredns,
        args: ['-conf', '/etc/coredns/Corefile'],
        readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
        livenessProbe: { httpGet: { path: '/health', port: 8080 } },
        resources: { requests: { cpu: '50m', memory: '32Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        },
        volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
  };
}
