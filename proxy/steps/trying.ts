// The trials that one request makes: it asks to be the only one in all proxies, and says when it has come to an end.

import type { Rule } from '../config/snapshot.ts';
import type { Availability } from '../routing/availability.ts';
import type { Plan, Visit } from '../routing/plan.ts';
import type { TrialOutcome, Trials } from '../routing/trials.ts';

/** What trials of a request need. */
export interface TryingSettings {
  readonly trials: Trials;
  readonly availability: Availability;
  readonly plan: Plan;
  /** Says whether a trial before the return of a backend is wanted, and how often. */
  readonly rule: Rule;
}

/** Trials of one request; as good as nothing where it makes none. */
export class Trying {
  readonly #settings: TryingSettings;
  #visits: Set<Visit> | undefined;

  constructor(settings: TryingSettings) {
    this.#settings = settings;
  }

  /** Whether the visit may be made, where it is a trial; undefined where it is none. Waits for Redis, 50 ms at most. */
  begin(visit: Visit): Promise<boolean> | undefined {
    const { availability } = this.#settings;
    if (!visit.early && (visit.disabled || !availability.isOnTrial(visit.backend))) return undefined;
    return this.#ask(visit);
  }

  /** An attempt of the visit has ended, or the visit without one. */
  end(visit: Visit, outcome: TrialOutcome): void {
    if (this.#visits?.delete(visit) === true) this.#settings.trials.end(visit.backend.target, outcome);
  }

  async #ask(visit: Visit): Promise<boolean> {
    const { trials, plan, rule } = this.#settings;
    const { target } = visit.backend;
    if (await trials.begin(target, toPeriodMs(rule))) {
      if (this.#isStillWanted(visit)) {
        this.#visits ??= new Set();
        this.#visits.add(visit);
        return true;
      }
      trials.end(target, 'unused');
    }
    plan.skip(visit);
    return false;
  }

  /** News may have come while the store was asked: the backend is out again, or for good. */
  #isStillWanted({ backend, early }: Visit): boolean {
    const { availability } = this.#settings;
    return early ? !availability.isHard(backend) : availability.disabledUntil(backend) === 0;
  }
}

/** How often a backend that is disabled by the rule is tried before it returns; undefined: never. */
export function toPeriodMs({ failover }: Rule): number | undefined {
  const { probeSeconds } = failover.disable;
  return probeSeconds === undefined ? undefined : probeSeconds * 1000;
}
