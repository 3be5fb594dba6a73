// A cluster that is up, for whoever uses it: the client of the control plane, and what only a node can do.

import { connectControlPlane, type ControlPlaneClient } from '../client.ts';
import { run } from '../run.ts';
import { type Holder, inside } from './namespaces.ts';
import { type ClusterFacts, statusOf } from './state.ts';

/** The client of a cluster. */
export interface Cluster extends ControlPlaneClient, ClusterFacts {
  /**
   * Makes images known to the node, from an archive of `docker save` or `buildah push docker-archive:`. Pods find them
   * by the names they have there; `imagePullPolicy` must not be Always.
   */
  importImages(archive: string): Promise<void>;
}

/** What clusters are called unless they are given a name. */
export const usualName = process.env['SLUICE_CLUSTER_NAME'] || 'sluice';

/** Finds the cluster that `npm run cluster:up` brought up; undefined if there is none. */
export function findCluster(name = usualName): Cluster | undefined {
  const status = statusOf(name);
  return status.is === 'up' ? connectCluster(status.facts) : undefined;
}

/** Speaks to it. */
export function connectCluster(facts: ClusterFacts): Cluster {
  return { ...connectControlPlane(facts), ...facts, importImages: (archive) => importImages(facts.holder, archive) };
}

/** See there. */
export async function importImages(holder: Holder, archive: string): Promise<void> {
  await runInside(holder, ['ctr', '--namespace=k8s.io', 'images', 'import', archive]);
}

/** Runs a program of the machine in the node. */
export async function runInside(holder: Holder, command: readonly string[]): Promise<string> {
  const [program = '', ...args] = inside(holder, command);
  return run(program, args, { cwd: '/' });
}
