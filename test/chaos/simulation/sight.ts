// What the watches of a proxy are given: the truth about the world, and what their proxy must know by the rules.

import type { Clock } from '../../../proxy/canonical/clock.ts';
import type { Snapshot } from '../../../proxy/config/snapshot.ts';
import type { DisableBook } from '../../../proxy/state/store.ts';
import type { Form, Leaf } from './installation.ts';
import type { CallGround } from './providers.ts';
import type { RedisPlace } from './redis-place.ts';
import type { Expectations } from './watched-book.ts';

/** Wraps a disable book into one with a fault. */
export type Sabotage = (book: DisableBook, clock: Clock) => DisableBook;

/** What all proxies of a simulation have in common. */
export interface ProxyGround extends CallGround {
  readonly redis: RedisPlace;
  readonly form: Form;
  readonly leaves: readonly Leaf[];
  readonly sabotage: Sabotage | undefined;
}

/** A proxy, as its watches see it. */
export interface WatchedProxy {
  readonly name: string;
  readonly clock: Clock;
  readonly expected: Expectations;
  readonly snapshot: Snapshot | undefined;
  readonly isStill: boolean;
  /** Milliseconds that the process has stood still since then, or a little more. */
  stoodStillSince(sinceMs: number): number;
}

/** The settings of a watch. */
export interface Sight extends ProxyGround {
  readonly proxy: WatchedProxy;
}
