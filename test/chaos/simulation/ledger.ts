// What a simulation finds out: the lines of its trace, their digest, and every invariant that was broken.

import type { VirtualTime } from './virtual-time.ts';
import { beginMs } from './virtual-time.ts';

/** The invariants; verification.md names the first ten. */
export type Invariant =
  /** A request ends, exactly once, and in time. */
  | 'I1'
  /** No content of two backends, nor of another request; what looks whole is whole. */
  | 'I2'
  /** No attempt on a target that is disabled here or tried out by another, unless nothing else is left. */
  | 'I3'
  /** What is disabled stays so until its end or a clear, and a clear is obeyed. */
  | 'I4'
  /** Attempts within their caps and before the deadline. */
  | 'I5'
  /** Nothing is left of requests that have ended: in flight, trials. */
  | 'I6'
  /** Retries and attempts on disabled backends within their budget. */
  | 'I7'
  /** While a healthy backend was there all along, the client has its answer. */
  | 'I8'
  /** What is disabled hard is never used. */
  | 'I9'
  /** A client that leaves takes its upstream request with it. */
  | 'I10'
  /** In calm weather all proxies know the same, and every backend comes back. */
  | 'I11';

/** One broken invariant. */
export interface Breach {
  readonly invariant: Invariant;
  readonly atMs: number;
  readonly text: string;
}

/** More of one run say nothing new. */
const breachesMax = 20;

/** Takes down what happens. */
export class Ledger {
  readonly breaches: Breach[] = [];
  readonly lines: string[] = [];
  /** Counts of what happened, for the sum of many runs. */
  readonly counts = new Map<string, number>();
  readonly #time: VirtualTime;
  readonly #keepsLines: boolean;
  #digest = 0x811c9dc5;

  constructor(time: VirtualTime, keepsLines: boolean) {
    this.#time = time;
    this.#keepsLines = keepsLines;
  }

  say(text: string): void {
    const line = `${((this.#time.nowMs - beginMs) / 1000).toFixed(6)} ${text}`;
    let digest = this.#digest;
    // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
    for (let at = 0; at < line.length; at += 1) digest = Math.imul(digest ^ line.charCodeAt(at), 0x01000193);
    this.#digest = digest;
    if (this.#keepsLines) this.lines.push(line);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  breach(invariant: Invariant, text: string): void {
    this.say(`BROKEN ${invariant}: ${text}`);
    if (this.breaches.length >= breachesMax) return;
    this.breaches.push({ invariant, atMs: Math.round(this.#time.nowMs - beginMs), text });
  }

  /** The same for two runs exactly if all their lines are. */
  get digest(): string {
    return (this.#digest >>> 0).toString(16).padStart(8, '0');
  }
}
