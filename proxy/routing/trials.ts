// One request in all proxies tries whether a disabled backend works again: when its disable has ended (failure.md, rule
// 21), and before that where the route says so (`failover.disable.probeSeconds`). Asks for the right to be the one; must
// not know who keeps such rights.

import type { Clock } from '../canonical/clock.ts';

/** The right to try, kept until it is let go or given back. */
export interface TrialRight {
  /** Holds it no longer: it ends with its time. */
  letGo(): void;
  /** Gives it back at once. */
  giveBack(): void;
}

/** What trials are made of. */
export interface TrialsSettings {
  readonly clock: Clock;
  /** The right of that name for so long and as long as it is kept; undefined while somebody else has it. */
  readonly claim: (name: string, ttlMs: number) => Promise<TrialRight | undefined>;
}

/** Who may try what. */
export interface Trials {
  /** Whether it is worth asking for the right: no trial runs here, and none was refused a moment ago. */
  isRipe(target: string): boolean;
  /**
   * Asks to try a target: true if the caller is the only one in all proxies, until `end`. `periodMs`: nobody shall try
   * again within that time, unless this trial succeeds or nothing is sent for it.
   */
  begin(target: string, periodMs: number | undefined): Promise<boolean>;
  /** The trial that was begun is over, and its consequences are known here. */
  end(target: string, outcome: TrialOutcome): void;
}

/** `abandoned`: the request ended without a verdict. `unused`: nothing was sent. */
export type TrialOutcome = 'succeeded' | 'failed' | 'abandoned' | 'unused';

/** How long a trial without a period is believed to run after its proxy was last heard of. */
const trialTtlMs = 10_000;
/** When somebody else had the right, it is asked for again after a tenth of the period, and within these bounds. */
const askAgainMinMs = 100;
const askAgainMaxMs = 1000;
/** A failed trial disables again: until the others have heard of that, none of them shall begin another. */
const newsMs = 100;
/** Targets remembered; those with nothing to remember go first. More than any configuration has backends. */
const targetsMax = 10_000;

interface Entry {
  /** Asked for, or had. */
  running: { right: TrialRight | undefined; readonly periodic: boolean } | undefined;
  /** Not to be asked for before. */
  nextMs: number;
}

/** No trial runs. */
export function createTrials({ clock, claim }: TrialsSettings): Trials {
  const entries = new Map<string, Entry>();

  function open(target: string): Entry {
    const known = entries.get(target);
    if (known !== undefined) return known;
    if (entries.size >= targetsMax) dropIdle();
    const entry: Entry = { running: undefined, nextMs: 0 };
    entries.set(target, entry);
    return entry;
  }

  function dropIdle(): void {
    const nowMs = clock.now();
    for (const [target, { running, nextMs }] of entries) {
      if (running === undefined && nextMs <= nowMs) entries.delete(target);
    }
  }

  return {
    isRipe(target) {
      const entry = entries.get(target);
      return entry === undefined || (entry.running === undefined && entry.nextMs <= clock.now());
    },
    async begin(target, periodMs) {
      const entry = open(target);
      if (entry.running !== undefined || entry.nextMs > clock.now()) return false;
      const running = { right: undefined as TrialRight | undefined, periodic: periodMs !== undefined };
      entry.running = running;
      const askedMs = clock.now();
      const right = await claim(`trial:${target}`, periodMs ?? trialTtlMs);
      if (right === undefined) {
        entry.running = undefined;
        const againMs = Math.min(askAgainMaxMs, Math.max(askAgainMinMs, (periodMs ?? 0) / 10));
        entry.nextMs = clock.now() + againMs;
        return false;
      }
      running.right = right;
      entry.nextMs = askedMs + (periodMs ?? 0);
      return true;
    },
    end(target, outcome) {
      const entry = entries.get(target);
      if (entry?.running?.right === undefined) return;
      const { right, periodic } = entry.running;
      entry.running = undefined;
      const wasSpent = outcome === 'failed' || outcome === 'abandoned';
      if (periodic && wasSpent) {
        right.letGo();
      } else if (outcome === 'failed') {
        clock.setTimer(newsMs, () => right.giveBack());
      } else {
        right.giveBack();
        entry.nextMs = 0;
      }
    },
  };
}
