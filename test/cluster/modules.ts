// What is built, and from what: one Go module per family of programs, so that minimal version selection in one does not
// shift the others. Their go.mod and go.sum are the only place where versions and checksums stand.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A program of the control plane. */
export type ControlPlaneProgram = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl';

/** What a node needs besides, to run pods, and the tool that installs the chart on it. */
export type NodeProgram = 'kube-scheduler' | 'kubelet' | 'kube-proxy' | 'coredns' | 'helm' | 'pause';

/** A program that is built. */
export type ProgramName = ControlPlaneProgram | NodeProgram;

/** In the order in which they are built: the API server pays for most of what the others share. */
export const controlPlanePrograms: readonly ControlPlaneProgram[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
];

/** Likewise, and all of them. */
export const nodePrograms: readonly ProgramName[] = [
  ...controlPlanePrograms,
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'coredns',
  'helm',
  'pause',
];

/** The minor version that the project is made for. */
export const usualKubernetes = '1.35';

/** What tests run on unless they ask for another: `SLUICE_KUBERNETES=1.37 npm test -- --project kube` moves them all. */
export const defaultKubernetes = process.env['SLUICE_KUBERNETES'] || usualKubernetes;

/** A committed module that pins one family. */
export interface PinnedModule {
  readonly family: 'etcd' | 'kubernetes' | 'coredns' | 'helm' | 'pause';
  readonly folder: string;
  /** Without the leading `v`; of a program of our own, the beginning of its digest. */
  readonly version: string;
  /** What a program built from it is kept under: another key, another program. */
  readonly key: string;
}

const modulesFolder = fileURLToPath(new URL('modules/', import.meta.url));
const prefix = 'kubernetes-';
const digestCharacters = 8;

/** The minor versions of Kubernetes that are pinned: `1.35`. */
export function kubernetesMinors(): readonly string[] {
  const folders = readdirSync(modulesFolder).filter((name) => name.startsWith(prefix));
  return folders.map((name) => name.slice(prefix.length)).toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2)));
}

/** The module that a program comes from. */
export function moduleOf(program: ProgramName, kubernetes: string): PinnedModule {
  switch (program) {
    case 'etcd':
      return pinned('etcd', 'etcd-3.6', 'go.etcd.io/etcd/server/v3');
    case 'coredns':
      return withOwnMain(pinned('coredns', 'coredns-1.15', 'github.com/coredns/coredns'));
    case 'helm':
      return pinned('helm', 'helm-4.1', 'helm.sh/helm/v4');
    case 'pause': {
      const folder = `${modulesFolder}pause`;
      const version = mainDigest(folder);
      return { family: 'pause', folder, version, key: `pause-${version}` };
    }
    default:
      if (!kubernetesMinors().includes(kubernetes)) {
        throw new Error(`Kubernetes ${kubernetes} is not pinned here; there is ${kubernetesMinors().join(', ')}`);
      }
      return pinned('kubernetes', `${prefix}${kubernetes}`, 'k8s.io/kubernetes');
  }
}

/** The Go package that is built into a program. */
export function packageOf(program: ProgramName): string {
  switch (program) {
    case 'etcd':
      return 'go.etcd.io/etcd/server/v3';
    case 'helm':
      return 'helm.sh/helm/v4/cmd/helm';
    case 'coredns':
    case 'pause':
      return '.';
    default:
      return `k8s.io/kubernetes/cmd/${program}`;
  }
}

function pinned(family: PinnedModule['family'], name: string, requirement: string): PinnedModule {
  const folder = `${modulesFolder}${name}`;
  const requirements = readFileSync(`${folder}/go.mod`, 'utf8').matchAll(
    /^(?:require)?\s+(\S+) v(\S+)( \/\/ indirect)?$/gm,
  );
  for (const [, path, version] of requirements) {
    if (path === requirement && version !== undefined) return { family, folder, version, key: `${family}-${version}` };
  }
  throw new Error(`${folder}/go.mod does not require ${requirement}`);
}

/** The version alone would not tell that our main.go has changed. */
function withOwnMain(module: PinnedModule): PinnedModule {
  return { ...module, key: `${module.key}-${mainDigest(module.folder)}` };
}

function mainDigest(folder: string): string {
  return createHash('sha256')
    .update(readFileSync(`${folder}/main.go`))
    .digest('hex')
    .slice(0, digestCharacters);
}
