// What one proxy remembers of one target: what is in force, what led to it, and who is trying it out. Knows nothing of
// other targets, of timers, or of how news travels.

import { disabledUntil, inForce, noFacts, type TargetFacts } from './disable-merge.ts';
import { foreverMs, type DisableEntry } from './store.ts';

/**
 * How long a clear (from its generation on) and an unused target are remembered. A clear must outlive every copy of what
 * it voids that may still be on its way; a lost one must not mute later disables for ever. A day is long for the one and
 * short for the other.
 */
export const rememberMs = 24 * 60 * 60 * 1000;

/** One target's past and present. */
export class TargetRecord {
  #facts: TargetFacts = noFacts;
  /** Begin and end of the latest disable, and how many came in a row. */
  #begunMs = 0;
  #endedMs = 0;
  #repeats = 0;
  /** The latest disable, a person's too, has not been followed by a success; and when it ends. */
  #owesTrial = false;
  #owesFromMs = 0;
  #trialSinceMs: number | undefined;

  get facts(): TargetFacts {
    return this.#facts;
  }

  /** Takes over merged facts; true if what is in force changed. */
  learn(facts: TargetFacts, nowMs: number): boolean {
    const before = this.#facts;
    if (facts === before) return false;
    const wasDisabled = disabledUntil(before, nowMs) !== 0;
    const isCleared = facts.generation !== before.generation;
    this.#facts = facts;
    if (isCleared) this.#clear(wasDisabled, nowMs);
    const news = newest(before, facts, nowMs);
    if (news !== undefined) this.#disable(news, wasDisabled && !isCleared);
    return facts.hard !== before.hard || facts.soft !== before.soft;
  }

  /** Drops what has ended. */
  settle(facts: TargetFacts): void {
    this.#facts = facts;
  }

  /** Rule 21: whether the caller may send now; the first to ask after a disable has ended is its trial. */
  claim(nowMs: number, trialMaxMs: number): boolean {
    if (disabledUntil(this.#facts, nowMs) !== 0) return false;
    if (!this.#owesTrial) return true;
    if (this.#isTrialRunning(nowMs, trialMaxMs)) return false;
    this.#trialSinceMs = nowMs;
    return true;
  }

  /** The end of an attempt, which is the trial's end if the attempt did not begin before it. */
  settleTrial(succeeded: boolean, begunMs: number): void {
    if (this.#trialSinceMs === undefined || begunMs < this.#trialSinceMs) return;
    this.#trialSinceMs = undefined;
    if (succeeded) this.#owesTrial = false;
  }

  /** Whether an attempt that began at `begunMs` can be the trial that is running: it did not begin before it. */
  isTrial(begunMs: number, nowMs: number, trialMaxMs: number): boolean {
    return this.#isTrialRunning(nowMs, trialMaxMs) && begunMs >= (this.#trialSinceMs ?? Infinity);
  }

  /** Disables in a row, as long as no calm as long as the last one has passed. */
  repeats(nowMs: number): number {
    if (disabledUntil(this.#facts, nowMs) !== 0) return this.#repeats;
    return this.#isCalm(nowMs) ? 0 : this.#repeats;
  }

  /** When the first of the entries in force ends; Infinity if none does by itself. */
  soonestEnd(): number {
    const { hard, soft } = this.#facts;
    return Math.min(endOf(hard), endOf(soft));
  }

  /** True if forgetting this record changes no later answer, or only about what is a day old. */
  isForgettable(nowMs: number, storeMs: number): boolean {
    if (this.#facts.hard !== undefined || this.#facts.soft !== undefined) return false;
    const remembers = storeMs - this.#facts.generation < rememberMs;
    const owes = this.#owesTrial && nowMs - this.#owesFromMs < rememberMs;
    return !remembers && !owes && this.#isCalm(nowMs);
  }

  #isTrialRunning(nowMs: number, trialMaxMs: number): boolean {
    return this.#trialSinceMs !== undefined && nowMs - this.#trialSinceMs < trialMaxMs;
  }

  #disable(entry: DisableEntry, wasDisabled: boolean): void {
    this.#owesTrial = true;
    this.#owesFromMs = entry.untilMs;
    this.#trialSinceMs = undefined;
    // A person's decision says nothing about how often the target fails.
    if (entry.reason === 'Manual') return;
    if (!wasDisabled) {
      this.#repeats = this.#isCalm(entry.sinceMs) ? 1 : this.#repeats + 1;
      this.#begunMs = entry.sinceMs;
      this.#endedMs = entry.untilMs;
    } else if (entry.untilMs > this.#endedMs) {
      this.#endedMs = entry.untilMs;
    }
  }

  #clear(wasDisabled: boolean, nowMs: number): void {
    this.#owesTrial = false;
    this.#trialSinceMs = undefined;
    if (wasDisabled) this.#endedMs = Math.min(this.#endedMs, nowMs);
  }

  #isCalm(nowMs: number): boolean {
    return nowMs - this.#endedMs >= this.#endedMs - this.#begunMs;
  }
}

/** The entry in force that the facts after have and those before had not. */
function newest(before: TargetFacts, after: TargetFacts, nowMs: number): DisableEntry | undefined {
  if (after.hard !== before.hard && inForce(after.hard, nowMs) !== undefined) return after.hard;
  return after.soft === before.soft ? undefined : inForce(after.soft, nowMs);
}

function endOf(entry: DisableEntry | undefined): number {
  return entry === undefined || entry.untilMs === foreverMs ? Infinity : entry.untilMs;
}
