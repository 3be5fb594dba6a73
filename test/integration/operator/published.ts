// What an installation has published, as its administrator reads it.

import { gunzipSync } from 'node:zlib';
import {
  type ConfigIndex,
  type Credentials,
  credentialsName,
  type GatewayConfig,
  gzippedCredentialsName,
  partHolder,
} from '../../../proxy/config/schema.ts';
import type { ControlPlaneClient } from '../../cluster/client.ts';
import type { Installation } from '../../support/installation.ts';

/** A ConfigMap or Secret. */
export interface Held {
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly labels?: object };
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** The published objects of one installation. */
export class Publication {
  readonly #plane: ControlPlaneClient;
  readonly #namespace: string;
  readonly indexName: string;

  constructor(plane: ControlPlaneClient, { namespace, className }: Installation) {
    this.#plane = plane;
    this.#namespace = namespace;
    this.indexName = `sluice-${className}`;
  }

  path(kind: 'configmaps' | 'secrets', name: string): string {
    return `/api/v1/namespaces/${this.#namespace}/${kind}/${name}`;
  }

  get indexPath(): string {
    return this.path('configmaps', this.indexName);
  }

  get secretPath(): string {
    return this.path('secrets', `${this.indexName}-credentials`);
  }

  read(path: string): Promise<Held> {
    return this.#plane.request('GET', path);
  }

  async index(): Promise<ConfigIndex> {
    return JSON.parse((await this.read(this.indexPath)).data?.['index.json'] ?? '') as ConfigIndex;
  }

  /** Every ConfigMap of ours, by name. */
  async configMaps(): Promise<ReadonlyMap<string, Held>> {
    const list = await this.#plane.request<{ readonly items: readonly Held[] }>('GET', this.path('configmaps', ''));
    const ours = list.items.filter(({ metadata: { name } }) => name.startsWith('sluice-'));
    return new Map(ours.map((object) => [object.metadata.name, object]));
  }

  async config(): Promise<GatewayConfig> {
    const [index, holders] = [await this.index(), await this.configMaps()];
    const parts = index.parts.map(({ name }, number) => {
      const { data, binaryData } = holders.get(partHolder(this.indexName, number)) ?? {};
      const text = data?.[name];
      return text === undefined ? Buffer.from(binaryData?.[name] ?? '', 'base64') : Buffer.from(text);
    });
    const bytes = Buffer.concat(parts);
    return JSON.parse((index.encoding === 'gzip' ? gunzipSync(bytes) : bytes).toString()) as GatewayConfig;
  }

  async credentials(): Promise<Credentials> {
    const [{ credentialsDigest: digest }, { data = {} }] = [await this.index(), await this.read(this.secretPath)];
    const plain = data[credentialsName(digest)];
    const bytes = Buffer.from(plain ?? data[gzippedCredentialsName(digest)] ?? '', 'base64');
    return JSON.parse((plain === undefined ? gunzipSync(bytes) : bytes).toString()) as Credentials;
  }

  /** Versions of everything that is published: equal if nothing was written between. */
  async versions(): Promise<readonly string[]> {
    const held = [...(await this.configMaps()).values(), await this.read(this.secretPath)];
    return held.map(({ metadata: { name, resourceVersion } }) => `${name} ${resourceVersion}`);
  }
}
