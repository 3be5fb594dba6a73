// What the status of an object is decided from: facts that others have gathered. No clock, no IO.

import type { Diagnostic } from '../compile/diagnostic.ts';
import type { DisabledTarget, ProxyReport } from './proxy-report.ts';

/** One condition, as `status.conditions` of a resource holds it (metav1.Condition). */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number | undefined;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/**
 * How an object stands in what is published.
 * - `absent`: it was compiled, and nothing of it is in the configuration.
 * - `published`: its present form (with the credentials that belong to it) is part of every revision from `since` on.
 * - `too-large`: the configuration that holds its present form could not be published.
 */
export type Publication =
  | { readonly type: 'absent' }
  | { readonly type: 'published'; readonly since: number }
  | {
      readonly type: 'too-large';
      /** How much too large; nothing about any object in it. */
      readonly message: string;
    };

/** What is known about every object, whatever its kind. */
export interface ObjectFacts {
  /** `namespace/name`. */
  readonly id: string;
  /** `metadata.generation` of the form that was compiled. */
  readonly generation: number;
  /** Conditions that the object has now; their times are kept where their status stays the same. */
  readonly previous: readonly Condition[];
  /** Of this object only; undefined: it is known, but has not been compiled in this form. */
  readonly diagnostics: readonly Diagnostic[] | undefined;
  readonly publication: Publication;
  /** Every proxy that counts: ready, and not about to end. */
  readonly proxies: readonly ProxyReport[];
  /** RFC 3339, in whole seconds as metav1.Time has them: when a condition that changes now has changed. */
  readonly now: string;
}

/** Facts about a provider besides. */
export interface ProviderFacts extends ObjectFacts {
  readonly credentials: 'KeyPool' | 'None' | 'Passthrough' | 'Workload';
  /** LLMKeys that name this provider, and those among them that can be used: served, not over, not disabled hard. */
  readonly keys: { readonly usable: number; readonly total: number };
}

/** Facts about a route besides. */
export interface RouteFacts extends ObjectFacts {
  /** Names of all backends as people wrote them, each once, in their order. */
  readonly backends: readonly string[];
  /** Names of those that are in the published configuration. */
  readonly served: ReadonlySet<string>;
  /** What proxies have disabled among them, by name; of several, the hard one, then the one that lasts longest. */
  readonly disabled: ReadonlyMap<string, DisabledTarget>;
  readonly models: readonly string[];
  readonly strategies: readonly string[];
}

/** Facts about a key besides. */
export interface KeyFacts extends ObjectFacts {
  readonly type: 'Upstream' | 'Client';
  readonly tenant: string | undefined;
  readonly secretName: string | undefined;
  readonly lastRotationTime: string | undefined;
  /** What proxies found out about an upstream key; of several, the hard one, then the one that lasts longest. */
  readonly disabled: DisabledTarget | undefined;
  /** Names of the budgets of a client key that are used up, so that its requests are refused. */
  readonly exhaustedBudgets: readonly string[];
  /** Why the Secret of a generated key could not be made; undefined if nothing is wrong. */
  readonly generationProblem: string | undefined;
}
