// Pickers over choices that a test makes up, with loads that it tells them of.

import type { AttemptRecord, Trail } from '../../../proxy/accounting/trail.ts';
import { Balancer } from '../../../proxy/balancing/balancer.ts';
import { LoadBook } from '../../../proxy/balancing/load-book.ts';
import type { Choice, PickContext, StrategyOptions } from '../../../proxy/balancing/picker.ts';
import { createPicker } from '../../../proxy/balancing/create-picker.ts';
import type { Strategy } from '../../../proxy/config/schema.ts';
import type { FailureClass } from '../../../proxy/canonical/failure.ts';
import { openTrail } from '../../../proxy/accounting/account.ts';
import { failureOf } from '../routing/failures.ts';
import { seededRandom } from './seeded-random.ts';

/** All that decide by themselves. */
export const strategies = [
  'Random',
  'RoundRobin',
  'Weighted',
  'LeastUsed',
  'LeastBusy',
  'LeastLatency',
  'DynamicWeighted',
  'Cheapest',
  'Affinity',
  'FirstAvailable',
  'Plugin',
] as const;

/** A request that says nothing. */
export const plain: PickContext = {
  nowMs: 0,
  stream: true,
  inputTokens: 1000,
  outputTokensMax: undefined,
  keyOf: () => undefined,
  placesIn: () => undefined,
};

/** A request of which requests with the same number have something in common. */
export function keyed(key: number): PickContext {
  return { ...plain, keyOf: () => key };
}

/** A picker that is asked for plain requests where a test does not say otherwise. */
export interface TestPicker {
  pick<C extends Choice>(eligible: readonly C[], context?: PickContext, options?: StrategyOptions): C;
}

/** How a picker is made. */
export interface TestPickerSettings {
  readonly seed?: number;
  readonly random?: () => number;
  readonly loads?: LoadBook;
}

/** Makes a picker. */
export function picker(
  strategy: Strategy,
  { seed = 1, random = seededRandom(seed), loads = new LoadBook() }: TestPickerSettings = {},
): TestPicker {
  const made = createPicker(strategy, { random, loads });
  return { pick: (eligible, context = plain, options = {}) => made.pick(eligible, context, options) };
}

/** A balancer over loads. */
export function balancerOf(seed: number, loads = new LoadBook()): Balancer {
  return new Balancer({ random: seededRandom(seed), loads });
}

/** Choices by their weights. */
export function choices(weights: Readonly<Record<string, number>>): Choice[] {
  return Object.entries(weights).map(([id, weight]) => ({ id, weight }));
}

/** How often each is picked out of so many. */
export function tally(
  from: TestPicker,
  eligible: readonly Choice[],
  times: number,
  counts = new Map<string, number>(),
) {
  for (let turn = 0; turn < times; turn += 1) {
    const { id } = from.pick(eligible);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** Between the one that was picked most and the one that was picked least. */
export function spread(counts: ReadonlyMap<string, number>): number {
  return Math.max(...counts.values()) - Math.min(...counts.values());
}

/** Pearson's statistic of counts against shares: https://en.wikipedia.org/wiki/Pearson%27s_chi-squared_test */
export function chiSquare(counts: ReadonlyMap<string, number>, shares: Readonly<Record<string, number>>): number {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const all = Object.values(shares).reduce((sum, share) => sum + share, 0);
  return Object.entries(shares).reduce((sum, [id, share]) => {
    const wanted = (total * share) / all;
    return sum + ((counts.get(id) ?? 0) - wanted) ** 2 / wanted;
  }, 0);
}

const trails: Readonly<Record<'true' | 'false', Trail>> = {
  true: trailOf(true),
  false: trailOf(false),
};

function trailOf(stream: boolean): Trail {
  return Object.assign(openTrail({ id: 'r1', method: 'POST', path: '/', receivedAtMs: 0, headers: {} }), { stream });
}

/** Attempts at one backend, as the pipeline tells of them. */
export class Attempts {
  readonly #loads: LoadBook;
  readonly #backend: string;
  readonly #trail: Trail;

  constructor(loads: LoadBook, backend: string, stream = true) {
    this.#loads = loads;
    this.#backend = backend;
    this.#trail = trails[`${stream}`];
  }

  /** Sent, and nothing heard of yet. */
  begin(atMs: number, key?: string): AttemptRecord {
    const record: AttemptRecord = {
      number: 1,
      backend: this.#backend,
      backendName: this.#backend,
      provider: 'default/p',
      providerType: 'OpenAICompatible',
      key,
      model: undefined,
      startedAtMs: atMs,
    };
    this.#loads.observer.attemptStarted?.(this.#trail, record);
    return record;
  }

  /** First content. */
  answer(record: AttemptRecord, atMs: number): AttemptRecord {
    record.firstContentAtMs = atMs;
    this.#loads.observer.attemptAnswered?.(this.#trail, record);
    return record;
  }

  end(record: AttemptRecord, atMs: number, failure?: FailureClass): void {
    record.endedAtMs = atMs;
    if (failure !== undefined) record.failure = failureOf(failure);
    this.#loads.observer.attemptEnded?.(this.#trail, record);
  }

  /** A whole answer, whose first content took so long. */
  measured(tookMs: number, atMs: number): void {
    this.end(this.answer(this.begin(atMs - tookMs), atMs), atMs);
  }

  failed(failure: FailureClass, tookMs: number, atMs: number): void {
    this.end(this.begin(atMs - tookMs), atMs, failure);
  }
}
