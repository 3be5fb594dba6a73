// What plans ask about the present, and what they tell strategies and others of their candidates.

import type { Backend, Candidate, Rule, Tier } from '../config/snapshot.ts';

/** What a plan asks about the present; each is asked at the moment it matters. */
export interface PlanFacts {
  /** 0: the backend may be used. Else Unix milliseconds of its return; Infinity where nobody knows. */
  readonly disabledUntil: (backend: Backend) => number;
  /** Whether that disable must not be overridden. */
  readonly isHard: (backend: Backend) => boolean;
  /** Rule 21: false while another request tries whether the backend works again. */
  readonly claim: (backend: Backend) => boolean;
  /** The backend's usual time to first content, milliseconds; undefined where nobody knows. */
  readonly usualFirstContentMs: (backend: Backend) => number | undefined;
  /** Whether a disabled backend may be due for a trial before it returns; undefined where there are none. */
  readonly isEarly: ((backend: Backend) => boolean) | undefined;
  /** Chooses inside a tier by the rule's strategy. */
  readonly pick: <C extends Choice>(tier: Tier, rule: Rule, eligible: readonly C[]) => C;
}

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
