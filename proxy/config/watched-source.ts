// Follows the objects in which a configuration is published: the ConfigMap of the index and the Secret are watched, the
// shards of a large configuration are fetched when the index names them. Knows no API server: both are passed in.

import type { Clock, Timer } from '../canonical/clock.ts';
import type { ConfigIntake, SourceLog } from './config-intake.ts';
import { PublishedFollower } from './published-follower.ts';
import { credentialsHolder, partHolder } from './schema.ts';

/** While something is missing: shards are fetched again, at first soon, then every half minute. */
const retryMinMs = 250;
const retryMaxMs = 30_000;

/** One object. */
export interface ObjectRef {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly namespace: string;
  readonly name: string;
}

/** An object, as far as files are in it: text as it is in a ConfigMap's data, base64 in everything else. Not trusted. */
export interface HolderObject {
  readonly data?: unknown;
  readonly binaryData?: unknown;
}

/** Where objects come from. */
export interface HolderObjects {
  /** Calls with the object as it is now, and whenever it has changed; not when it is deleted. */
  watch(ref: ObjectRef, onObject: (object: HolderObject) => void): void;
  /** The newest form of the object; undefined if there is none. */
  get(ref: ObjectRef): Promise<HolderObject | undefined>;
}

/** What following objects needs. */
export interface WatchedSourceOptions {
  readonly namespace: string;
  /** Of the ConfigMap that holds the index; the other names follow from it. */
  readonly name: string;
  readonly objects: HolderObjects;
  readonly intake: ConfigIntake;
  readonly clock: Clock;
  readonly log: SourceLog;
}

/** The objects of one published configuration, being followed. */
export class WatchedSource {
  readonly #options: WatchedSourceOptions;
  readonly #follower: PublishedFollower;
  /** The objects that are watched, as they were seen last. */
  readonly #held = new Map<ObjectRef['kind'], HolderObject>();
  #fetchProblem: string | undefined;
  #retries = 0;
  #retry: Timer | undefined;
  #stopped = false;

  constructor(options: WatchedSourceOptions) {
    const { namespace, name, intake, clock } = options;
    this.#options = options;
    this.#follower = new PublishedFollower({
      place: `${namespace}/${name}`,
      read: (file, part) => this.#read(file, part),
      intake,
      clock,
    });
  }

  /** Begins to follow. What comes of it comes later. */
  start(): void {
    const { objects, name } = this.#options;
    for (const ref of [this.#ref('ConfigMap', name), this.#ref('Secret', credentialsHolder(name))]) {
      objects.watch(ref, ({ data, binaryData }) => {
        this.#held.set(ref.kind, { data, binaryData });
        this.#retries = 0;
        void this.#refresh();
      });
    }
    // Whoever never sees an object is to complain in the end.
    void this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
  }

  #ref(kind: ObjectRef['kind'], name: string): ObjectRef {
    return { kind, namespace: this.#options.namespace, name };
  }

  async #refresh(): Promise<void> {
    if (this.#stopped) return;
    this.#retry?.cancel();
    await this.#follower.refresh();
    this.#retry?.cancel();
    if (this.#stopped || !this.#follower.pending) return;
    const delayMs = Math.min(retryMinMs * 2 ** this.#retries, retryMaxMs);
    this.#retry = this.#options.clock.setTimer(delayMs, () => {
      this.#retries += 1;
      void this.#refresh();
    });
  }

  async #read(file: string, part = 0): Promise<Buffer | undefined> {
    for (const [kind, object] of this.#held) {
      const found = readFileOf(kind, object, file);
      if (found !== undefined) return found;
    }
    if (part === 0) return undefined;
    const holder = this.#ref('ConfigMap', partHolder(this.#options.name, part));
    const object = await this.#fetch(holder);
    return object && readFileOf('ConfigMap', object, file);
  }

  /** What cannot be fetched now is as good as missing: it is tried again. Said once, until it works again. */
  async #fetch(ref: ObjectRef): Promise<HolderObject | undefined> {
    try {
      const object = await this.#options.objects.get(ref);
      this.#fetchProblem = undefined;
      return object;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#fetchProblem) {
        this.#options.log.warn({ object: `${ref.namespace}/${ref.name}`, reason }, 'cannot fetch a part');
      }
      this.#fetchProblem = reason;
      return undefined;
    }
  }
}

function readFileOf(kind: ObjectRef['kind'], { data, binaryData }: HolderObject, file: string): Buffer | undefined {
  const text = memberOf(data, file);
  if (text !== undefined) return Buffer.from(text, kind === 'ConfigMap' ? 'utf8' : 'base64');
  const binary = memberOf(binaryData, file);
  return binary === undefined ? undefined : Buffer.from(binary, 'base64');
}

function memberOf(members: unknown, name: string): string | undefined {
  if (typeof members !== 'object' || members === null || !Object.hasOwn(members, name)) return undefined;
  const value = (members as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}
