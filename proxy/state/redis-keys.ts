// The names of everything that Sluice keeps in Redis. All keys of an installation share one hash tag, so that in a
// cluster one script may touch several of them.

import type { TargetId } from './store.ts';

/** What a record in Redis says of its target. */
export type RecordKind = 'hard' | 'soft' | 'clear';

/** The keys of one installation. */
export interface RedisKeys {
  /** Hash: `epoch`, which changes when Redis has lost its memory, and `revision`, which counts changes. */
  readonly log: string;
  /** Sorted set of all records by the revision of their last change. */
  readonly index: string;
  /** Sorted set of the ids of living proxies by the time of their last sign of life. */
  readonly proxies: string;
  /** Channel on which each new revision is announced. */
  readonly channel: string;
  /** What a record's name is prefixed with. */
  readonly recordPrefix: string;
  record(name: string): string;
  /** Whoever has the lease of that name: a token that ends by itself. */
  lease(name: string): string;
}

/** The keys of the installation of one gateway class. */
export function createRedisKeys(className: string): RedisKeys {
  // The tag ends at the first brace: with one in the name, the keys would scatter over a cluster.
  const tag = `{sluice:${className.replaceAll(/[{}]/g, '_')}}`;
  const recordPrefix = `${tag}:dis:`;
  return {
    log: `${tag}:log`,
    index: `${tag}:index`,
    proxies: `${tag}:proxies`,
    channel: `${tag}:news`,
    recordPrefix,
    record: (name) => `${recordPrefix}${name}`,
    lease: (name) => `${tag}:lease:${name}`,
  };
}

/** A record's name: its target and its kind. */
export function toRecordName(target: TargetId, kind: RecordKind): string {
  return `${target}:${kind}`;
}

/** The target and kind in a record's name, or undefined if it is not one. */
export function fromRecordName(name: string): { readonly target: TargetId; readonly kind: RecordKind } | undefined {
  const colon = name.lastIndexOf(':');
  const kind = name.slice(colon + 1);
  if (colon < 1 || (kind !== 'hard' && kind !== 'soft' && kind !== 'clear')) return undefined;
  return { target: name.slice(0, colon), kind };
}
