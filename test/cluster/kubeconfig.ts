// Kubeconfig files. They are JSON, which every reader of YAML understands.

/** A kubeconfig with one cluster, one user and one context. */
export function toKubeconfig(
  { url, caFile }: { readonly url: string; readonly caFile: string },
  user: { readonly token: string } | { readonly tokenFile: string },
  namespace = 'default',
): string {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
    'current-context': 'test',
  };
  return `${JSON.stringify(kubeconfig, undefined, 2)}\n`;
}
