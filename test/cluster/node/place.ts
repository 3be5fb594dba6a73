// Where a node keeps what is its own, and which addresses it has. Two with different names and numbers can run side by
// side; one of the same name is the same.

import { join } from 'node:path';

/** Everything that tells one node from another. */
export interface NodePlace {
  readonly name: string;
  /** Makes its addresses. */
  readonly number: number;
  /** Everything it writes is in here. */
  readonly folder: string;
  /** Of the node, and of this machine on the link between them. */
  readonly nodeAddress: string;
  readonly hostAddress: string;
  readonly podRange: string;
  readonly serviceRange: string;
  /** Of the API server and of DNS, as Services. */
  readonly apiServiceAddress: string;
  readonly dnsAddress: string;
  /** Name of the machine's end of the link. */
  readonly link: string;
  /** Of all pods, in every hierarchy. */
  readonly cgroup: string;
}

/** How many nodes can be on one machine: their addresses are 10.99.N, 10.244.N and four from 10.96.4N. */
export const nodesMax = 16;
/** The prefix length of each range. */
export const ranges = { link: 24, pods: 24, services: 22 } as const;
/** Of the API server. */
export const apiServerPort = 6443;
/** Below it, a folder for each node. Not /tmp, which may be in memory, and which others may clear. */
export const stateFolder = '/var/lib/sluice-cluster';

/** Works out the place of a node. */
export function placeOf(name: string, number: number): NodePlace {
  const services = `10.96.${number * 4}`;
  return {
    name,
    number,
    folder: join(stateFolder, name),
    nodeAddress: `10.99.${number}.1`,
    hostAddress: `10.99.${number}.254`,
    podRange: `10.244.${number}.0/${ranges.pods}`,
    serviceRange: `${services}.0/${ranges.services}`,
    apiServiceAddress: `${services}.1`,
    dnsAddress: `${services}.10`,
    link: `sluice-node-${number}`,
    cgroup: `/sluice-cluster-${name}`,
  };
}

/** Files and folders of a node that several parts of it must agree on. */
export function filesOf({ folder }: Pick<NodePlace, 'folder'>) {
  const certificates = join(folder, 'certificates');
  return {
    facts: join(folder, 'cluster.json'),
    adminKubeconfig: join(folder, 'admin.kubeconfig'),
    logs: join(folder, 'logs'),
    settings: join(folder, 'settings'),
    certificates,
    ca: { certificate: join(certificates, 'ca.crt'), key: join(certificates, 'ca.key') },
    tokens: join(certificates, 'tokens.csv'),
    // What stands for the machine's own folders of these names where the node's processes look.
    varLib: join(folder, 'var-lib'),
    varLog: join(folder, 'var-log'),
    run: join(folder, 'run'),
    kernelSettings: join(folder, 'kernel-settings'),
    images: join(folder, 'images'),
  } as const;
}
