// Finds the programs of the control plane: where envtest keeps them, then in the cache of this machine, else built.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildProgram, hasGo, type Progress } from './go-build.ts';
import { defaultKubernetes, moduleOf, type ProgramName, programNames, usualKubernetes } from './modules.ts';
import { isExecutable } from './path.ts';

/** The path of each program. */
export type Programs = Readonly<Record<ProgramName, string>>;

/** Looks for the programs, builds none; undefined if one of them is missing. */
export function findPrograms(kubernetes = defaultKubernetes): Programs | undefined {
  const found = programNames.map((name) => [name, find(name, kubernetes)] as const);
  return found.every(([, path]) => path !== undefined) ? (Object.fromEntries(found) as Programs) : undefined;
}

/** Finds the programs, and builds those that are missing; rejects, saying why, where that cannot be done. */
export async function preparePrograms(kubernetes: string, progress: Progress): Promise<Programs> {
  const missing = programNames.filter((name) => find(name, kubernetes) === undefined);
  if (missing.length > 0 && !hasGo()) {
    throw new Error(`${missing.join(', ')} must be built, and there is no Go on the PATH (1.26 or newer: go.dev/dl)`);
  }
  for (const [index, name] of missing.entries()) {
    const pinned = moduleOf(name, kubernetes);
    progress(`building ${name} ${pinned.version} (${index + 1} of ${missing.length})`);
    await buildProgram(name, pinned, cachePath(name, kubernetes), progress);
  }
  const programs = findPrograms(kubernetes);
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
  const { family, version } = moduleOf(name, kubernetes);
  return join(cacheFolder(), `${family}-${version}-${process.platform}-${process.arch}`, name);
}

/** Outside the repository: it outlives checkouts, and must never get into git. */
function cacheFolder(): string {
  const { SLUICE_CLUSTER_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.cache'), 'sluice', 'cluster');
}
