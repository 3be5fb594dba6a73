// Load balancing inside one priority tier, and among the keys of a pool: who is next, among those that may be used now.

import type { RuleConfig } from '../config/schema.ts';
import type { Backend } from '../config/snapshot.ts';

/** What pickers look at of a backend: its id, by which its load is known, and its model's price. */
export type Weighed = Pick<Backend, 'id'> & Partial<Pick<Backend, 'modelConfig'>>;

/** Something to choose from. */
export interface Choice {
  /** Stable across configurations: the picker's memory is keyed by it. */
  readonly id: string;
  readonly weight: number;
  /** Where it is a backend: what is known of it. */
  readonly backend?: Weighed | undefined;
  /** Where it is another route: the backends behind it that may be used now. It counts as the best of them. */
  readonly behind?: (() => readonly Weighed[]) | undefined;
}

/** What pickers may ask of the request that they pick for. Members are worked out when they are first read. */
export interface PickContext {
  readonly nowMs: number;
  readonly stream: boolean;
  /** Rough size of the request, in tokens. */
  readonly inputTokens: number;
  /** Most tokens of an answer that the client asks for; undefined where it does not say. */
  readonly outputTokensMax: number | undefined;
  /** What requests have in common that are to meet the same choice, as 32 bits; undefined where there is nothing. */
  readonly keyOf: (affinity: AffinityConfig) => number | undefined;
  /** The places that a plugin gave the choices of a rule, by their ids; undefined where it gave none. */
  readonly placesIn: (ruleId: string) => ReadonlyMap<string, number> | undefined;
}

/** What requests must have in common to meet the same backend. */
export type AffinityConfig = NonNullable<RuleConfig['affinity']>;

/** Settings of strategies, read at each pick: pickers outlive the configuration that they were made for. */
export interface StrategyOptions {
  /** Of the rule, where it is one. */
  readonly id?: string;
  readonly affinity?: AffinityConfig | undefined;
}

/** Chooses among what is eligible. Remembers by id, so that a new configuration does not start its turn anew. */
export interface Picker {
  /** One of the given choices; there is at least one. */
  pick<C extends Choice>(eligible: readonly C[], context: PickContext, options: StrategyOptions): C;
}
