// The command lines of the control plane's servers.

import { join } from 'node:path';

/** Where things are, for the command lines. */
export interface Place {
  readonly folder: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiServerPort: number;
}

/** What a test may want different. */
export interface ApiServerSettings {
  readonly watchCache: boolean;
  /** Whether the controller of service accounts runs; without it no Pod would find the one that admission asks for. */
  readonly serviceAccounts: boolean;
  readonly extraFlags: readonly string[];
}

/** Files that the servers share, all in the folder of the control plane. */
export function filesIn(folder: string) {
  return {
    // The API server makes its own certificate here; the file holds the authority as well.
    caFile: join(folder, 'certificates', 'apiserver.crt'),
    adminKubeconfig: join(folder, 'admin.kubeconfig'),
    tokens: join(folder, 'tokens.csv'),
    signingKey: join(folder, 'service-account.key'),
    verifyingKey: join(folder, 'service-account.pub'),
  } as const;
}

/** Nothing is worth an fsync here: the data ends with the test. */
export function etcdArgs({ folder, etcdPort, etcdPeerPort }: Place): readonly string[] {
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${etcdPeerPort}`;
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync=true',
    '--log-level=warn',
  ];
}

/** As in a real cluster where a client can tell the difference: RBAC, tokens, admission, watch cache. */
export function apiServerArgs(place: Place, settings: ApiServerSettings): readonly string[] {
  const files = filesIn(place.folder);
  return [
    `--etcd-servers=http://127.0.0.1:${place.etcdPort}`,
    '--bind-address=127.0.0.1',
    // Makes the certificate good for this address.
    '--advertise-address=127.0.0.1',
    // Loopback is no address that endpoints may have.
    '--endpoint-reconciler-type=none',
    `--secure-port=${place.apiServerPort}`,
    `--cert-dir=${join(place.folder, 'certificates')}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${files.tokens}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${files.verifyingKey}`,
    `--service-account-signing-key-file=${files.signingKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    ...(settings.serviceAccounts ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...(settings.watchCache ? [] : ['--watch-cache=false']),
    ...settings.extraFlags,
  ];
}

/** Only the controllers that were asked for, and no port. */
export function controllerManagerArgs({ folder }: Place, controllers: readonly string[]): readonly string[] {
  const { adminKubeconfig, signingKey } = filesIn(folder);
  return [
    `--kubeconfig=${adminKubeconfig}`,
    `--controllers=${controllers.join(',')}`,
    `--service-account-private-key-file=${signingKey}`,
    '--leader-elect=false',
    '--secure-port=0',
  ];
}
