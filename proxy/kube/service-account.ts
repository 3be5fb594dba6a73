// The API server of the cluster that the proxy runs in, as the ServiceAccount of its pod.
// https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/

import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Cluster, Identity } from './cluster.ts';

/** Where the kubelet mounts the token and the authorities. */
export const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Where the API server is, as the kubelet tells every container: KUBERNETES_SERVICE_HOST and _PORT. */
export interface ServiceAddress {
  readonly host: string | undefined;
  readonly port: string | undefined;
}

/** Reads the ServiceAccount once, to see that it can be. Rejects with an Error that says what is missing. */
export async function loadServiceAccount(
  { host, port = '443' }: ServiceAddress,
  directory = serviceAccountDirectory,
): Promise<Cluster> {
  if (host === undefined || host === '') {
    throw new Error('--watch needs --kubeconfig FILE outside a cluster (KUBERNETES_SERVICE_HOST is not set)');
  }
  const identify = (): Promise<Identity> => readIdentity(directory);
  try {
    await identify();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = 'does the pod mount the token of its ServiceAccount (automountServiceAccountToken)?';
    throw new Error(`--watch cannot use the ServiceAccount of the pod: ${why}; ${hint}`, { cause });
  }
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    serverName: undefined,
    insecure: false,
    identify,
  };
}

async function readIdentity(directory: string): Promise<Identity> {
  const [token, ca] = await Promise.all([
    readFile(join(directory, 'token'), 'utf8'),
    readFile(join(directory, 'ca.crt'), 'utf8'),
  ]);
  if (token.trim() === '') throw new Error(`${join(directory, 'token')} is empty`);
  return { token: token.trim(), ca };
}
