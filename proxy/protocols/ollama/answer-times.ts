// How long answers took, which this protocol tells with each of them.

import type { Usage } from '../../canonical/usage.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { AnswerContext } from '../protocol.ts';
import { toTimestamp } from './wire.ts';

const nanosecondsPerMs = 1_000_000;

/** Measures one answer. Where nobody says what the time is, it took none. */
export class AnswerTimes {
  readonly #context: AnswerContext;
  readonly #startedAtMs: number;
  #firstAtMs: number | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#startedAtMs = context.startedAtMs ?? this.#nowMs();
  }

  /** The time as lines and answers say it. */
  get timestamp(): string {
    return toTimestamp(this.#nowMs());
  }

  /** The first content has come: what is before it is taken for the reading of the prompt. */
  firstContent(): void {
    this.#firstAtMs ??= this.#nowMs();
  }

  /** Durations and counts, as the last line has them. */
  encodeFinal(usage: Usage | undefined): JsonObject {
    const nowMs = this.#nowMs();
    const firstAtMs = this.#firstAtMs ?? this.#startedAtMs;
    return {
      total_duration: toNanoseconds(nowMs - this.#startedAtMs),
      // No model is loaded here.
      load_duration: 0,
      prompt_eval_count: usage?.inputTokens ?? 0,
      prompt_eval_duration: toNanoseconds(firstAtMs - this.#startedAtMs),
      eval_count: usage?.outputTokens ?? 0,
      eval_duration: toNanoseconds(nowMs - firstAtMs),
    };
  }

  #nowMs(): number {
    return this.#context.now?.() ?? this.#context.createdAt * 1000;
  }
}

/** Never less than 1: clients divide by it to tell how many tokens came a second. */
export function toNanoseconds(ms: number): number {
  return Math.max(1, Math.round(ms * nanosecondsPerMs));
}
