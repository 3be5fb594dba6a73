// Making many objects at once, as administrator.

import { type Kind, plurals } from '../../../crds/group.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';

/** Calls at the same time: the API server is busy, and refuses none. */
const atOnce = 32;

interface Made {
  readonly kind: string;
  readonly metadata: { readonly namespace: string };
}

/** Creates namespaces, and then objects that live in them. */
export async function createAll(
  plane: ControlPlaneClient,
  { namespaces, objects }: { readonly namespaces: readonly string[]; readonly objects: readonly object[] },
): Promise<void> {
  for (const name of namespaces) await plane.request('POST', '/api/v1/namespaces', { metadata: { name } });
  const left = [...(objects as readonly Made[])].reverse();
  const worker = async (): Promise<void> => {
    for (let object = left.pop(); object !== undefined; object = left.pop()) {
      await plane.request('POST', collectionOf(object), object);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function collectionOf({ kind, metadata: { namespace } }: Made): string {
  if (kind === 'Secret') return `/api/v1/namespaces/${namespace}/secrets`;
  return `/apis/sluice.dev/v1alpha1/namespaces/${namespace}/${plurals[kind as Kind]}`;
}
