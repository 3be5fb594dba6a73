// Puts a configuration where the proxies find it: Secret, shards, index, in this order, so that whoever sees an index can
// have everything that it names. Writes nothing that is there already, and nothing while another replica leads.

import type { Credentials, GatewayConfig } from '../../proxy/config/schema.ts';
import { applyPatch, fieldManager, type KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/kube-error.ts';
import { apiVersionOf, type KubeObject, objectPath, type ResourceType } from '../kube/object.ts';
import { configMapType, secretType } from '../kube/kinds.ts';
import type { Cache } from '../watch/cache.ts';
import { type Output, type OutputNames } from '../watch/output.ts';
import { idOf } from '../watch/cache.ts';
import { ConfigTooLarge, packConfig, type Packed, type PackedFile } from './pack.ts';
import { chooseCredentialFiles } from './credential-files.ts';
import { type PublishedObjects, readIndex } from './read-back.ts';

/** A ConfigMap or Secret holds 1 MiB; what is left is for the index and for metadata. */
const partBytesMax = 960_000;

/**
 * How long the credentials before these stay: until every mounted volume has followed (the kubelet takes up to 90 s), so
 * that a proxy which starts meanwhile finds a pair.
 */
const previousMs = 300_000;

/** What publishing came to. */
export type Outcome =
  | { readonly type: 'published'; readonly config: GatewayConfig; readonly requeueAfterMs: number | undefined }
  | { readonly type: 'too-large'; readonly message: string };

/** What the publisher is made of. */
export interface PublisherOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly names: OutputNames;
  readonly outputs: Cache<Output>;
  readonly publishedCredentials: Cache<Output>;
  /** Whether this replica leads, as of now. */
  readonly mayWrite: () => boolean;
  /** Milliseconds. */
  readonly monotonic: () => number;
}

/** Another replica leads: what was about to be written may be old. */
export class NotLeading extends Error {
  override readonly name = 'NotLeading';
}

/** Publishes configurations of one class. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #objects: PublishedObjects;
  /** Versions that are answers to own writes. */
  readonly #written = new Map<string, string>();
  /** What is being written at this moment, by name: the watch may bring it before the answer does. */
  readonly #writing = new Map<string, Wanted>();
  #previousUntilMs: number | undefined;
  /** What was packed last: a large configuration takes a while, and most runs end with the one before. */
  #last: { readonly id: string; readonly packed: Packed } | undefined;
  /** Parts of the configuration that is published; undefined as long as this process does not know. */
  #parts: number | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { namespace, outputs, publishedCredentials, names } = options;
    this.#objects = {
      configMap: (name) => outputs.get(idOf({ namespace, name })),
      secret: () => publishedCredentials.get(idOf({ namespace, name: names.secret })),
    };
  }

  /** What is published at present. */
  get objects(): PublishedObjects {
    return this.#objects;
  }

  /** Whether a form of an object is one that this publisher wrote: nothing to look at again. */
  isOwn(output: Output): boolean {
    const { name, resourceVersion } = output;
    const writing = this.#writing.get(name);
    return this.#written.get(name) === resourceVersion || (writing !== undefined && isHeld(writing, output));
  }

  /**
   * Publishes. A configuration that is in force already keeps its revision, and only what has been changed by others is
   * written again. Nor does it keep a revision below `served`, the highest that any proxy serves: proxies only go forward.
   * Throws a KubeError, or NotLeading.
   */
  async publish(compiled: GatewayConfig, credentials: Credentials, served: number): Promise<Outcome> {
    const { names } = this.#options;
    const index = readIndex(names, this.#objects);
    const unchanged =
      index?.digest === compiled.digest && index.credentialsDigest === credentials.digest && index.revision >= served;
    const config = unchanged ? { ...compiled, revision: index.revision } : compiled;
    try {
      const packed = this.#pack(config, credentials);
      const requeueAfterMs = await this.#writeCredentials(packed.credentials, index?.credentialsDigest);
      await this.#writeConfig(packed);
      this.#parts = packed.parts.length;
      return { type: 'published', config, requeueAfterMs };
    } catch (error) {
      if (error instanceof ConfigTooLarge) return { type: 'too-large', message: error.message };
      throw error;
    }
  }

  /** Takes away shards that no part of what was published last is in. Throws a KubeError, or NotLeading. */
  async prune(): Promise<void> {
    if (this.#parts === undefined) return;
    const { client, namespace, names } = this.#options;
    for (const name of names.shards.slice(this.#parts - 1)) {
      const held = this.#objects.configMap(name);
      if (held === undefined) continue;
      this.#requireLead();
      const preconditions = { uid: held.uid, resourceVersion: held.resourceVersion };
      try {
        await client.call({
          method: 'DELETE',
          path: objectPath(configMapType, { namespace, name }),
          body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions },
        });
      } catch (error) {
        if (!isKubeError(error, 'NotFound')) throw error;
      }
    }
  }

  #pack(config: GatewayConfig, credentials: Credentials): Packed {
    const id = `${config.revision} ${config.digest} ${credentials.digest}`;
    if (this.#last?.id !== id) this.#last = { id, packed: packConfig(config, credentials, { partBytesMax }) };
    return this.#last.packed;
  }

  async #writeCredentials(file: PackedFile, inForce: string | undefined): Promise<number | undefined> {
    const { names, monotonic, publishedCredentials } = this.#options;
    const held = this.#objects.secret();
    const isOver = this.#previousUntilMs !== undefined && monotonic() >= this.#previousUntilMs;
    const files = chooseCredentialFiles(file, held?.data ?? {}, { inForce, keepsPrevious: !isOver });
    const written = await this.#apply(secretType, held, publishedCredentials, {
      metadata: { name: names.secret, labels: names.labels },
      type: 'Opaque',
      data: files,
    });
    if (Object.keys(files).length === 1) this.#previousUntilMs = undefined;
    else if (written || this.#previousUntilMs === undefined) this.#previousUntilMs = monotonic() + previousMs;
    return this.#previousUntilMs === undefined ? undefined : this.#previousUntilMs - monotonic();
  }

  async #writeConfig({ index, parts }: Packed): Promise<void> {
    const { names } = this.#options;
    const [first, ...rest] = parts;
    for (const [number, part] of rest.entries()) await this.#applyConfigMap(names.shards[number] ?? '', [part]);
    await this.#applyConfigMap(names.index, first === undefined ? [index] : [index, first]);
  }

  async #applyConfigMap(name: string, files: readonly PackedFile[]): Promise<void> {
    const isText = ({ name: file }: PackedFile): boolean => file.endsWith('.json');
    const data = files.filter(isText).map(({ name: file, bytes }) => [file, Buffer.from(bytes).toString('utf8')]);
    const binary = files.filter((file) => !isText(file)).map(({ name: file, bytes }) => [file, toBase64(bytes)]);
    await this.#apply(configMapType, this.#objects.configMap(name), this.#options.outputs, {
      metadata: { name, labels: this.#options.names.labels },
      data: Object.fromEntries(data) as Record<string, string>,
      binaryData: Object.fromEntries(binary) as Record<string, string>,
    });
  }

  /**
   * Applies what differs from what is there. The version that is known is a precondition: whoever has written since knew
   * more. Returns whether anything was written.
   */
  async #apply(type: ResourceType, held: Output | undefined, cache: Cache<Output>, wanted: Wanted): Promise<boolean> {
    if (held !== undefined && isHeld(wanted, held)) return false;
    this.#requireLead();
    const { name } = wanted.metadata;
    this.#writing.set(name, wanted);
    try {
      const applied = await this.#patch(type, held?.resourceVersion, wanted);
      this.#written.set(name, applied.metadata.resourceVersion ?? '');
      cache.learn(applied);
      return true;
    } finally {
      this.#writing.delete(name);
    }
  }

  #patch(type: ResourceType, resourceVersion: string | undefined, wanted: Wanted): Promise<KubeObject> {
    const { client, namespace } = this.#options;
    const version = resourceVersion === undefined ? {} : { resourceVersion };
    return client.call<KubeObject>({
      method: 'PATCH',
      path: objectPath(type, { namespace, name: wanted.metadata.name }),
      query: { fieldManager, force: true, fieldValidation: 'Strict' },
      contentType: applyPatch,
      body: {
        apiVersion: apiVersionOf(type),
        kind: type.kind,
        ...wanted,
        metadata: { ...wanted.metadata, namespace, ...version },
      },
    });
  }

  #requireLead(): void {
    if (!this.#options.mayWrite()) throw new NotLeading('this replica does not lead');
  }
}

/** An object as it is to be. */
interface Wanted {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly type?: string;
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Files that proxies read. What others put beside them is theirs. */
const ownFile = /^(index\.json|config\.json(\.gz\.\d+)?|credentials-[0-9a-f]{64}\.json(\.gz)?)$/;

/** Whether an object holds everything that it is to hold, and no file of ours besides. */
function isHeld({ metadata: { labels }, data, binaryData = {} }: Wanted, held: Output): boolean {
  const holds = (wanted: Readonly<Record<string, string>>, there: Readonly<Record<string, string>>): boolean =>
    Object.entries(wanted).every(([name, value]) => there[name] === value);
  const files = { ...data, ...binaryData };
  const stale = [...Object.keys(held.data), ...Object.keys(held.binaryData)].filter(
    (name) => ownFile.test(name) && !Object.hasOwn(files, name),
  );
  return (
    holds(labels, held.labels) && holds(data, held.data) && holds(binaryData, held.binaryData) && stale.length === 0
  );
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
