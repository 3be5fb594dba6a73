// What every reader of a stream says of the answer: what its judge says. A tap and a decoder of one protocol have judges of
// the same kind, and so never differ.

import type { FailureSignal } from '../canonical/failure.ts';
import type { Usage } from '../canonical/usage.ts';
import type { StreamTap } from './protocol.ts';

/** What a judge must know. */
export interface StreamFacts extends Pick<StreamTap, 'usage' | 'error' | 'finished' | 'empty'> {
  /** Left out: nothing comes behind what finishes an answer. */
  readonly done?: boolean;
  /** Left out: the protocol does not number its events. */
  readonly nextSequence?: number;
}

/** A reader with its judge. */
export abstract class Judged<Judge extends StreamFacts> {
  protected readonly judge: Judge;

  constructor(judge: Judge) {
    this.judge = judge;
  }

  get usage(): Usage | undefined {
    return this.judge.usage;
  }

  get error(): FailureSignal | undefined {
    return this.judge.error;
  }

  get finished(): boolean {
    return this.judge.finished;
  }

  get done(): boolean {
    return this.judge.done ?? this.judge.finished;
  }

  get empty(): boolean {
    return this.judge.empty;
  }

  get nextSequence(): number {
    return this.judge.nextSequence ?? 0;
  }
}
