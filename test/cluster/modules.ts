// What is built, and from what: one Go module per family of programs, so that minimal version selection in one does not
// shift the others. Their go.mod and go.sum are the only place where versions and checksums stand.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A program of the control plane. */
export type ProgramName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl';

/** All of them, in the order in which they are built: the API server pays for most of what the others share. */
export const programNames: readonly ProgramName[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'];

/** The minor version that the project is made for. */
export const usualKubernetes = '1.35';

/** What tests run on unless they ask for another: `SLUICE_KUBERNETES=1.37 npm test -- --project kube` moves them all. */
export const defaultKubernetes = process.env['SLUICE_KUBERNETES'] || usualKubernetes;

/** A committed module that pins one family. */
export interface PinnedModule {
  readonly family: 'etcd' | 'kubernetes';
  readonly folder: string;
  /** Without the leading `v`. */
  readonly version: string;
}

const modulesFolder = fileURLToPath(new URL('modules/', import.meta.url));
const prefix = 'kubernetes-';

/** The minor versions of Kubernetes that are pinned: `1.35`. */
export function kubernetesMinors(): readonly string[] {
  const folders = readdirSync(modulesFolder).filter((name) => name.startsWith(prefix));
  return folders.map((name) => name.slice(prefix.length)).toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
}

/** The module that a program comes from. */
export function moduleOf(program: ProgramName, kubernetes: string): PinnedModule {
  if (program === 'etcd') return pinned('etcd', 'etcd-3.6', 'go.etcd.io/etcd/server/v3');
  if (!kubernetesMinors().includes(kubernetes)) {
    throw new Error(`Kubernetes ${kubernetes} is not pinned here; there is ${kubernetesMinors().join(', ')}`);
  }
  return pinned('kubernetes', `${prefix}${kubernetes}`, 'k8s.io/kubernetes');
}

/** The Go package that is built into a program. */
export function packageOf(program: ProgramName): string {
  return program === 'etcd' ? 'go.etcd.io/etcd/server/v3' : `k8s.io/kubernetes/cmd/${program}`;
}

function pinned(family: PinnedModule['family'], name: string, requirement: string): PinnedModule {
  const folder = `${modulesFolder}${name}`;
  const requirements = readFileSync(`${folder}/go.mod`, 'utf8').matchAll(/^\s+(\S+) v(\S+)( \/\/ indirect)?$/gm);
  for (const [, path, version] of requirements) {
    if (path === requirement && version !== undefined) return { family, folder, version };
  }
  throw new Error(`${folder}/go.mod does not require ${requirement}`);
}
