// Rule 3 of failure.md from outside: extra attempts of a proxy stay within their share of its requests.

import type { Sight } from './sight.ts';

/** Of the default: `retryBudgetPercent` and the floor. */
const percent = 20;
const floor = 3;
/** The budget is kept in slots of a second: what is certain to be within its window, and what may be. */
const innerMs = 9000;
const outerMs = 11_000;

/** Counts requests and extra attempts. */
export class Spendings {
  readonly #settings: Sight;
  #requests: number[] = [];
  #extras: number[] = [];

  constructor(settings: Sight) {
    this.#settings = settings;
  }

  request(): void {
    this.#requests.push(this.#settings.proxy.clock.now());
  }

  spend(what: 'retry' | 'override' | 'hedge', id: string): void {
    const { proxy, ledger } = this.#settings;
    const nowMs = proxy.clock.now();
    ledger.count(what);
    this.#extras.push(nowMs);
    this.#extras = this.#extras.filter((atMs) => nowMs - atMs < innerMs);
    this.#requests = this.#requests.filter((atMs) => nowMs - atMs < outerMs);
    const allowed = Math.max(floor, Math.floor((this.#requests.length * percent) / 100));
    if (this.#extras.length <= allowed) return;
    ledger.breach('I7', `${proxy.name}: ${id} makes ${what} ${this.#extras.length} of ${allowed} in ten seconds`);
  }
}
