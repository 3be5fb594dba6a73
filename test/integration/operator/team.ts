// A namespace in which people write objects of one installation: their manifests, short, and what becomes of them.

import { type Kind, plurals } from '../../../crds/group.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';
import type { Installation } from '../../support/installation.ts';
import { readResource, resourcePath, type SeenResource, waitForCondition } from '../../support/resource-status.ts';

type Members = Readonly<Record<string, unknown>>;

/** A manifest. */
export interface TeamObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}

/** Everything that tests do in the namespace of a team, as its members would. */
export class Team {
  readonly plane: ControlPlaneClient;
  readonly installation: Installation;
  readonly namespace: string;

  constructor(plane: ControlPlaneClient, installation: Installation, namespace: string) {
    this.plane = plane;
    this.installation = installation;
    this.namespace = namespace;
  }

  /** A provider that needs no key, at a URL. */
  provider(name: string, url: string, differs: Members = {}): TeamObject {
    const endpoint = { url, insecureHTTP: 'Allow' };
    return this.#ours('LLMProvider', name, {
      type: 'OpenAICompatible',
      endpoint,
      credentials: { type: 'None' },
      ...differs,
    });
  }

  /** A route that anybody may enter at `/NAMESPACE/NAME`. Each backend is called like its provider. */
  route(name: string, providers: readonly string[], differs: Members = {}): TeamObject {
    const backends = providers.map((provider) => ({ name: provider, providerRef: { name: provider }, model: 'any' }));
    return this.#ours('LLMRoute', name, {
      path: `/${this.namespace}/${name}`,
      access: { mode: 'Anonymous' },
      rules: [{ name: 'all', backends }],
      ...differs,
    });
  }

  /** A key of a provider, in the Secret of its name. */
  upstreamKey(name: string, provider: string, differs: Members = {}): TeamObject {
    const spec = { type: 'Upstream', secretRef: { name, key: 'key' }, upstream: { providerRef: { name: provider } } };
    return this.#ours('LLMKey', name, { ...spec, ...differs });
  }

  /** A key of a client, in the Secret of its name. */
  clientKey(name: string, differs: Members = {}): TeamObject {
    return this.#ours('LLMKey', name, {
      type: 'Client',
      secretRef: { name, key: 'key' },
      client: { models: ['*'] },
      ...differs,
    });
  }

  /** A key of a client that the operator makes, in the Secret `NAME-made`. */
  generatedKey(name: string, client: Members = {}): TeamObject {
    const generate = { secretName: `${name}-made` };
    return this.#ours('LLMKey', name, { type: 'Client', client: { generate, models: ['*'], ...client } });
  }

  /** A Secret that may be referred to. */
  secret(name: string, key: string, labels: Members = { 'sluice.dev/credential': 'true' }): TeamObject {
    const metadata = { name, namespace: this.namespace, labels };
    return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { key } } as TeamObject;
  }

  #ours(kind: Kind, name: string, spec: object): TeamObject {
    return this.installation.object(kind, this.namespace, name, spec) as TeamObject;
  }

  /** Makes new objects, all at once. */
  async create(...objects: readonly TeamObject[]): Promise<void> {
    await Promise.all(objects.map((object) => this.plane.request('POST', this.#collection(object.kind), object)));
  }

  /** Applies objects, one after the other. */
  async apply(...objects: readonly TeamObject[]): Promise<void> {
    for (const object of objects) await this.plane.apply(object);
  }

  /** Changes an object. */
  async patch(kind: string, name: string, change: Members): Promise<void> {
    await this.plane.request('PATCH', `${this.#collection(kind)}/${name}`, change, 'application/merge-patch+json');
  }

  async delete(kind: string, name: string): Promise<void> {
    await this.plane.request('DELETE', `${this.#collection(kind)}/${name}`);
  }

  /** What is there, or what a write of it would give. */
  read<T>(kind: string, name: string): Promise<T> {
    return this.plane.request('GET', `${this.#collection(kind)}/${name}`);
  }

  /** All objects of one of our kinds. */
  async list(kind: Kind): Promise<readonly SeenResource[]> {
    return (await this.plane.request<{ readonly items: readonly SeenResource[] }>('GET', this.#collection(kind))).items;
  }

  status(kind: Kind, name: string): Promise<SeenResource> {
    return readResource(this.plane, kind, this.namespace, name);
  }

  /** Waits until a condition says this: `Ready=True/Ready`. */
  wait(kind: Kind, name: string, wanted: string, withinMs?: number): Promise<SeenResource> {
    return waitForCondition(this.plane, kind, [this.namespace, name], wanted, withinMs);
  }

  #collection(kind: string): string {
    if (kind in plurals) return resourcePath(kind as Kind, this.namespace, '').replace(/\/$/, '');
    return `/api/v1/namespaces/${this.namespace}/${kind.toLowerCase()}s`;
  }
}
