// Server-side apply of whatever a manifest holds, by what the API server says about its resources.

import { parseAllDocuments } from 'yaml';
import { eventually } from '../support/eventually.ts';
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
const withinMs = 20_000;
const everyMs = 50;

/** Makes the `apply` of a control plane. */
export function createApply(request: ApiRequest): (manifest: object | string) => Promise<void> {
  return async (manifest) => {
    for (const object of manifestsIn(manifest)) {
      const path = await pathOf(object);
      const query = 'fieldManager=test&force=true';
      await request('PATCH', `${path}?${query}`, object, 'application/apply-patch+yaml');
      if (object.kind === 'CustomResourceDefinition') {
        await eventually(() => isEstablished(path), withinMs, {
          everyMs,
          what: `${object.metadata.name} is established`,
        });
      }
    }
  };

  async function pathOf({ apiVersion, kind, metadata }: Manifest): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    let resource: ApiResource | undefined;
    const find = async (): Promise<boolean> => {
      resource = (await resourcesOf(root)).find((one) => one.kind === kind && !one.name.includes('/'));
      return resource !== undefined;
    };
    await eventually(find, withinMs, { everyMs, what: `${apiVersion} ${kind} is served` });
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
