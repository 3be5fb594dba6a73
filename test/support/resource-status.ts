// What the status of a resource says, and waiting for it.

import { setTimeout as delay } from 'node:timers/promises';
import type { Kind } from '../../crds/group.ts';
import { plurals } from '../../crds/group.ts';
import type { ControlPlaneClient } from '../cluster/client.ts';

/** One condition of a resource. */
export interface SeenCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

/** A resource with its status. */
export interface SeenResource {
  readonly metadata: { readonly uid: string; readonly generation: number; readonly resourceVersion: string };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: { readonly conditions?: readonly SeenCondition[]; readonly [member: string]: unknown };
}

/** Reads a resource. */
export function readResource(
  plane: ControlPlaneClient,
  kind: Kind,
  namespace: string,
  name: string,
): Promise<SeenResource> {
  return plane.request('GET', resourcePath(kind, namespace, name));
}

/** Path of a resource in the API server. */
export function resourcePath(kind: Kind, namespace: string, name: string): string {
  return `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/${plurals[kind]}/${name}`;
}

/** `Type=Status/Reason` of each condition that was decided for the present generation; others begin with `stale `. */
export function conditionsOf({ metadata, status }: SeenResource): readonly string[] {
  return (status?.conditions ?? []).map(({ type, status: value, reason, observedGeneration }) => {
    const stale = observedGeneration === metadata.generation ? '' : 'stale ';
    return `${stale}${type}=${value}/${reason}`;
  });
}

/** Waits until a condition says this: `Ready=True/Ready`. Rejects with what it says instead. */
export async function waitForCondition(
  plane: ControlPlaneClient,
  kind: Kind,
  [namespace, name]: readonly [string, string],
  wanted: string,
  withinMs = 10_000,
): Promise<SeenResource> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await readResource(plane, kind, namespace, name);
    if (conditionsOf(seen).includes(wanted)) return seen;
    if (performance.now() > deadline) {
      throw new Error(`${kind} ${namespace}/${name} is not ${wanted} but ${JSON.stringify(seen.status?.conditions)}`);
    }
    await delay(25);
  }
}
