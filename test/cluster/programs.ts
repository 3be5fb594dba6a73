// Finds the programs of the control plane: where envtest keeps them, then in the cache of this machine, else built.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildProgram, hasGo, type Progress } from './go-build.ts';
import {
  type ControlPlaneProgram,
  controlPlanePrograms,
  defaultKubernetes,
  moduleOf,
  nodePrograms,
  type ProgramName,
  usualKubernetes,
} from './modules.ts';
import { isExecutable } from './path.ts';

/** The path of each program of the control plane. */
export type Programs = Readonly<Record<ControlPlaneProgram, string>>;

/** The path of each program of a node. */
export type NodePrograms = Readonly<Record<ProgramName, string>>;

/** Looks for the programs of a control plane, builds none; undefined if one of them is missing. */
export function findPrograms(kubernetes = defaultKubernetes): Programs | undefined {
  return findAll(controlPlanePrograms, kubernetes);
}

/** Finds the programs of a control plane, builds the missing; rejects, saying why, where that cannot be done. */
export function preparePrograms(kubernetes: string, progress: Progress): Promise<Programs> {
  return prepareAll(controlPlanePrograms, kubernetes, progress);
}

/** The same for those of a node. */
export function prepareNodePrograms(kubernetes: string, progress: Progress): Promise<NodePrograms> {
  return prepareAll(nodePrograms, kubernetes, progress);
}

function findAll<Name extends ProgramName>(
  names: readonly Name[],
  kubernetes: string,
): Readonly<Record<Name, string>> | undefined {
  const found = names.map((name) => [name, find(name, kubernetes)] as const);
  if (found.some(([, path]) => path === undefined)) return undefined;
  return Object.fromEntries(found) as Record<Name, string>;
}

async function prepareAll<Name extends ProgramName>(
  names: readonly Name[],
  kubernetes: string,
  progress: Progress,
): Promise<Readonly<Record<Name, string>>> {
  const missing = names.filter((name) => find(name, kubernetes) === undefined);
  if (missing.length > 0 && !hasGo()) {
    throw new Error(`${missing.join(', ')} must be built, and there is no Go on the PATH (1.26 or newer: go.dev/dl)`);
  }
  for (const [index, name] of missing.entries()) {
    const pinned = moduleOf(name, kubernetes);
    progress(`building ${name} ${pinned.version} (${index + 1} of ${missing.length})`);
    await buildProgram(name, pinned, cachePath(name, kubernetes), progress);
  }
  const programs = findAll(names, kubernetes);
  if (programs === undefined) throw new Error('what was built is not where it should be');
  return programs;
}

function find(name: ProgramName, kubernetes: string): string | undefined {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const places = [cachePath(name, kubernetes)];
  // The folder does not say which version it holds: it stands in for the usual one only.
  if (assets !== undefined && assets !== '' && kubernetes === usualKubernetes) places.unshift(join(assets, name));
  return places.find(isExecutable);
}

function cachePath(name: ProgramName, kubernetes: string): string {
  return join(cacheFolder(), `${moduleOf(name, kubernetes).key}-${process.platform}-${process.arch}`, name);
}

/** Outside the repository: it outlives checkouts, and must never get into git. */
export function cacheFolder(): string {
  const { SLUICE_CLUSTER_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.cache'), 'sluice', 'cluster');
}
