// What the operator publishes, as the API server holds it: objects that change one after the other, and whoever watches
// them hears of it when the test says so.

import { packConfig } from '../../../operator/apply/pack.ts';
import { partHolder } from '../../../proxy/config/schema.ts';
import type { HolderObject, HolderObjects, ObjectRef } from '../../../proxy/config/watched-source.ts';
import type { ConfigPair } from '../../support/config.ts';

/** Name of the ConfigMap that holds the index. */
export const indexObject = 'sluice-default';
const secretObject = 'sluice-default-credentials';

type Files = Readonly<Record<string, string>>;

/** A write of one object. */
export interface Write {
  readonly name: string;
  readonly object: HolderObject;
}

/** The writes by which the operator publishes a configuration, in its order: Secret, shards, index. */
export function writesOf({ config, credentials }: ConfigPair, previous: Files = {}, partBytesMax = 960_000): Write[] {
  const packed = packConfig(config, credentials, { partBytesMax });
  const holders = packed.parts.map(({ name, bytes }, number) => ({
    name: partHolder(indexObject, number),
    object: name.endsWith('.json')
      ? { data: { [name]: Buffer.from(bytes).toString() } }
      : { binaryData: { [name]: base64(bytes) } },
  }));
  const [first, ...shards] = holders;
  const index = { [packed.index.name]: Buffer.from(packed.index.bytes).toString() };
  const own = { [packed.credentials.name]: base64(packed.credentials.bytes) };
  return [
    { name: secretObject, object: { data: { ...previous, ...own } } },
    ...shards,
    { name: indexObject, object: { ...first!.object, data: { ...index, ...first!.object.data } } },
  ];
}

/** Files of the credentials alone: what stays in the Secret for a while. */
export function credentialsOf(writes: readonly Write[]): Files {
  return writes[0]!.object.data as Files;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** The objects, and who watches them. */
export class ObjectStore implements HolderObjects {
  readonly objects = new Map<string, HolderObject>();
  readonly watched: ObjectRef[] = [];
  readonly fetched: string[] = [];
  /** What fetching fails with; undefined = it works. */
  fetchError: Error | undefined;
  readonly #watchers = new Map<string, (object: HolderObject) => void>();

  watch(ref: ObjectRef, onObject: (object: HolderObject) => void): void {
    this.watched.push(ref);
    this.#watchers.set(ref.name, onObject);
  }

  get({ name }: ObjectRef): Promise<HolderObject | undefined> {
    this.fetched.push(name);
    return this.fetchError === undefined ? Promise.resolve(this.objects.get(name)) : Promise.reject(this.fetchError);
  }

  /** Writes; nobody hears of it yet. */
  write(...writes: readonly Write[]): void {
    for (const { name, object } of writes) this.objects.set(name, object);
  }

  /** The watches of these objects catch up. */
  tell(...names: readonly string[]): void {
    for (const name of names) {
      const object = this.objects.get(name);
      if (object !== undefined) this.#watchers.get(name)?.(object);
    }
  }

  /** Writes, and all watches catch up with each write. */
  publish(writes: readonly Write[]): void {
    for (const write of writes) {
      this.write(write);
      this.tell(write.name);
    }
  }

  tellSecret(): void {
    this.tell(secretObject);
  }

  tellIndex(): void {
    this.tell(indexObject);
  }
}
