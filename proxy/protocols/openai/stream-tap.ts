// Looks along as the frames of an OpenAI-like stream pass by, without parsing those that repeat a known shape.

import type { SignalHeaders } from '../../canonical/failure.ts';
import { KnownFrames } from '../known-frames.ts';
import { Judged } from '../judged.ts';
import type { FrameVerdict, StreamTap } from '../protocol.ts';
import { type ReadFacts, StreamJudge } from './stream-judge.ts';
import type { JsonObject } from './wire.ts';

/** Mends what some servers write and no official client reads. One per answer. */
export interface FrameRepair {
  /** What is to be passed on in the place of a frame: another one, nothing for now, or undefined if it is good as it is. */
  mend(json: JsonObject): JsonObject | 'withhold' | undefined;
  /** From now on every frame has to be looked at. */
  readonly vigilant: boolean;
}

/** What a tap needs beside the meaning of frames. */
export interface StreamTapOptions {
  readonly hideUsage: boolean;
  readonly headers?: SignalHeaders;
  readonly repair?: FrameRepair | undefined;
}

/** Judges the frames of one answer. */
export class OpenAiStreamTap extends Judged<StreamJudge> implements StreamTap {
  replacement: Buffer | undefined = undefined;
  readonly #known = new KnownFrames();
  readonly #repair: FrameRepair | undefined;

  constructor(readFacts: ReadFacts, options: StreamTapOptions) {
    super(new StreamJudge(readFacts, options));
    this.#repair = options.repair;
  }

  frame(frame: Buffer): FrameVerdict {
    this.replacement = undefined;
    const template = this.#repair?.vigilant === true ? undefined : this.#known.match(frame);
    if (template !== undefined) {
      if (template.sequence !== undefined) this.judge.nextSequence = template.sequence + 1;
      return 'content';
    }
    const first = !this.judge.content;
    const { verdict, json } = this.judge.read(frame);
    const mended = json === undefined ? undefined : this.#repair?.mend(json);
    if (mended !== undefined) this.replacement = toFrame(mended);
    // An answer may well have only one frame of content: it is the second that is taken for one of many.
    else if (verdict === 'content' && !first) this.#known.learn(frame, (made) => this.judge.preview(made));
    return verdict;
  }
}

const nothing = Buffer.alloc(0);

function toFrame(mended: JsonObject | 'withhold'): Buffer {
  return mended === 'withhold' ? nothing : Buffer.from(`data: ${JSON.stringify(mended)}\n\n`);
}
