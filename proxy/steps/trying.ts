// The trials that one request makes: it asks to be the only one in all proxies, and says when it has come to an end.

import type { Rule, UpstreamKey } from '../config/snapshot.ts';
import type { Availability } from '../routing/availability.ts';
import type { Visits } from '../routing/plan.ts';
import type { TrialOutcome, Trials } from '../routing/trials.ts';
import { isLastResort, type Visit } from '../routing/visit.ts';

/** What trials of a request need. */
export interface TryingSettings {
  readonly trials: Trials;
  readonly availability: Availability;
  readonly plan: Pick<Visits, 'skip'>;
  /** Says whether a trial before the return of a backend is wanted, and how often. */
  readonly rule: Rule;
}

/** Trials of one request; as good as nothing where it makes none. */
export class Trying {
  readonly #settings: TryingSettings;
  /** Visits and keys that are trials of this request, with the targets that are tried. */
  #trials: Map<Visit | UpstreamKey, string> | undefined;

  constructor(settings: TryingSettings) {
    this.#settings = settings;
  }

  /** Whether the visit may be made, where it is a trial; undefined where it is none. Waits for Redis, 50 ms at most. */
  begin(visit: Visit): Promise<boolean> | undefined {
    const { availability } = this.#settings;
    if (isLastResort(visit) || (!visit.early && !availability.isOnTrial(visit.backend))) return undefined;
    return this.#ask(visit);
  }

  /** The same for a key that has been claimed: one request in all proxies finds out whether it works again. */
  beginKey(visit: Visit, key: UpstreamKey): Promise<boolean> | undefined {
    if (isLastResort(visit) || !this.#settings.availability.isOnTrial(key)) return undefined;
    return this.#askForKey(key);
  }

  /** The trial of a key that is not used after all. */
  dropKey(key: UpstreamKey): void {
    if (this.#trials?.has(key) !== true) return;
    this.#settings.availability.giveBack(key);
    this.#endOne(key, 'unused');
  }

  /** An attempt of the visit has ended, or the visit without one. */
  end(visit: Visit, key: UpstreamKey | undefined, outcome: TrialOutcome): void {
    if (this.#trials === undefined) return;
    this.#endOne(visit, outcome);
    if (key !== undefined) this.#endOne(key, outcome);
  }

  /** When the search is over, whatever nobody has ended is over, too: a trial that never ended would never be made again. */
  around<A, E>(search: (asked: A) => Promise<E>): (asked: A) => Promise<E> {
    return async (asked) => {
      try {
        return await search(asked);
      } finally {
        for (const subject of this.#trials?.keys() ?? []) this.#endOne(subject, 'abandoned');
      }
    };
  }

  #endOne(subject: Visit | UpstreamKey, outcome: TrialOutcome): void {
    const target = this.#trials?.get(subject);
    if (target === undefined) return;
    this.#trials?.delete(subject);
    this.#settings.trials.end(target, outcome);
  }

  async #ask(visit: Visit): Promise<boolean> {
    const { trials, plan, rule } = this.#settings;
    const { target } = visit.backend;
    if (await trials.begin(target, toPeriodMs(rule))) {
      if (this.#isStillWanted(visit)) return this.#note(visit, target);
      trials.end(target, 'unused');
    }
    plan.skip(visit);
    return false;
  }

  async #askForKey(key: UpstreamKey): Promise<boolean> {
    const { trials, availability } = this.#settings;
    if (await trials.begin(key.target, undefined)) {
      if (availability.isOnTrial(key)) return this.#note(key, key.target);
      trials.end(key.target, 'unused');
    }
    availability.giveBack(key);
    return false;
  }

  #note(subject: Visit | UpstreamKey, target: string): true {
    this.#trials ??= new Map();
    this.#trials.set(subject, target);
    return true;
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
