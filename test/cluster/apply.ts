// Server-side apply of whatever a manifest holds, by what the API server says about its resources.

import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { type ApiRequest, ApiServerError } from './api-request.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** How long a definition may take to be established, and its resource to be served. */
const establishedWithinMs = 20_000;
const pollMs = 50;

/** Makes the `apply` of a control plane. */
export function createApply(request: ApiRequest): (manifest: object | string) => Promise<void> {
  return async (manifest) => {
    for (const object of manifestsIn(manifest)) {
      const path = await pathOf(object);
      const query = 'fieldManager=test&force=true';
      await request('PATCH', `${path}?${query}`, object, 'application/apply-patch+yaml');
      if (object.kind === 'CustomResourceDefinition') await eventually(() => isEstablished(path));
    }
  };

  async function pathOf({ apiVersion, kind, metadata }: Manifest): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    let resource: ApiResource | undefined;
    await eventually(async () => {
      resource = (await resourcesOf(root)).find((one) => one.kind === kind && !one.name.includes('/'));
      return resource !== undefined;
    }, `${apiVersion} ${kind} is not served`);
    const { name = '', namespaced = false } = resource ?? {};
    return `${root}${namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : ''}/${name}/${metadata.name}`;
  }

  async function resourcesOf(root: string): Promise<readonly ApiResource[]> {
    try {
      return (await request<{ readonly resources: readonly ApiResource[] }>('GET', root)).resources;
    } catch (error) {
      // A group appears a moment after its first definition is established.
      if (error instanceof ApiServerError && error.status === 404) return [];
      throw error;
    }
  }

  async function isEstablished(path: string): Promise<boolean> {
    const { status } = await request<{
      readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
    }>('GET', path);
    return (status?.conditions ?? []).some(({ type, status: is }) => type === 'Established' && is === 'True');
  }
}

function manifestsIn(manifest: object | string): readonly Manifest[] {
  if (typeof manifest === 'object') return [manifest as Manifest];
  return parseAllDocuments(manifest).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    const object = document.toJS() as Manifest | null;
    return object === null ? [] : [object];
  });
}

async function eventually(isSo: () => Promise<boolean>, otherwise = 'not established'): Promise<void> {
  const deadlineMs = performance.now() + establishedWithinMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`${otherwise} after ${establishedWithinMs} ms`);
    await delay(pollMs);
  }
}
