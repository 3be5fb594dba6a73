// The two verdicts on an object: that of zod, and that of a real API server that is asked without creating anything.

import { kinds, type Kind, plurals } from '../../../crds/group.ts';
import { parseResource } from '../../../crds/parse-resource.ts';
import { ApiServerError } from '../../cluster/api-request.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';

/** Whether an object is accepted, and if not, why. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** What the API server says to `kubectl apply --dry-run=server` with its strictest check of fields. */
export async function serverVerdict(plane: ControlPlaneClient, kind: Kind, object: unknown): Promise<Verdict> {
  const path = `${collectionPath(kind, namespaceOf(object))}?dryRun=All&fieldValidation=Strict`;
  return verdictOf(plane.request('POST', path, object));
}

/** What a call that may be refused for its content came to; anything else that goes wrong is thrown. */
export async function verdictOf(call: Promise<unknown>): Promise<Verdict> {
  try {
    await call;
    return { ok: true };
  } catch (error) {
    // 400: not even read (unknown and misspelt fields); 422: read, and found invalid.
    if (error instanceof ApiServerError && [400, 422].includes(error.status)) return { ok: false, why: error.message };
    throw error;
  }
}

/** What the operator and `sluice check` would say. */
export function zodVerdict(kind: Kind, object: unknown): Verdict {
  const result = parseResource(kind, object);
  if (result.ok) return { ok: true };
  return { ok: false, why: result.problems.map(({ field, message }) => `${field} ${message}`).join('; ') };
}

/** The path of the objects of a kind in a namespace. */
export function collectionPath(kind: Kind, namespace: string): string {
  return `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/${plurals[kind]}`;
}

/** The namespace that an object names, as the API server would read it. */
export function namespaceOf(object: unknown): string {
  const namespace: unknown = Reflect.get(Object(Reflect.get(Object(object), 'metadata')), 'namespace');
  return typeof namespace === 'string' ? namespace : 'default';
}

/** A whole object around a spec. */
export function objectOf(kind: Kind, spec: unknown, namespace = 'default', name = 'a') {
  return { apiVersion: 'sluice.dev/v1alpha1', kind, metadata: { name, namespace }, spec };
}

/** The names of the three definitions. */
export const definitionNames = kinds.map((kind) => `${plurals[kind]}.sluice.dev`);
