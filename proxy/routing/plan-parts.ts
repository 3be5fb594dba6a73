// What plans tell strategies of their candidates.

import type { Backend, Candidate, Rule } from '../config/snapshot.ts';

/** An eligible candidate of a tier, as strategies see it. */
export interface Choice {
  readonly id: string;
  readonly weight: number;
  /** Undefined where it is another route. */
  readonly backend: Backend | undefined;
  /** The backends behind another route that may be used now. */
  readonly behind: (() => readonly Backend[]) | undefined;
}

/** A rule whose candidates a plugin orders. */
export interface PluggedRule {
  readonly rule: Rule;
  readonly choices: readonly PluggedChoice[];
}

/** One of them. */
export interface PluggedChoice {
  /** As strategies know it. */
  readonly id: string;
  readonly candidate: Candidate;
  readonly enabled: boolean;
}

/** Backends that serve one request at a time. */
export interface Exclusives {
  /** By id. */
  readonly backends: ReadonlySet<string>;
  /** Longest wait for one of them. */
  readonly waitMs: number;
}
