// Looks along as the frames of an OpenAI-like stream pass by, without parsing those that repeat a known shape.

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import { KnownFrames } from '../known-frames.ts';
import type { FrameVerdict, StreamTap } from '../protocol.ts';
import { type ReadFacts, StreamJudge } from './stream-judge.ts';

/** Judges the frames of one answer. */
export class OpenAiStreamTap implements StreamTap {
  readonly #judge: StreamJudge;
  readonly #known = new KnownFrames();

  constructor(readFacts: ReadFacts, options: { readonly hideUsage: boolean; readonly headers?: SignalHeaders }) {
    this.#judge = new StreamJudge(readFacts, options);
  }

  get usage(): Usage | undefined {
    return this.#judge.usage;
  }

  get error(): FailureSignal | undefined {
    return this.#judge.error;
  }

  get finished(): boolean {
    return this.#judge.finished;
  }

  get done(): boolean {
    return this.#judge.done;
  }

  get empty(): boolean {
    return this.#judge.empty;
  }

  get nextSequence(): number {
    return this.#judge.nextSequence;
  }

  frame(frame: Buffer): FrameVerdict {
    const template = this.#known.match(frame);
    if (template !== undefined) {
      if (template.sequence !== undefined) this.#judge.nextSequence = template.sequence + 1;
      return 'content';
    }
    const first = !this.#judge.content;
    const { verdict } = this.#judge.read(frame);
    // An answer may well have only one frame of content: it is the second that is taken for one of many.
    if (verdict === 'content' && !first) this.#known.learn(frame, (made) => this.#judge.preview(made));
    return verdict;
  }
}
