// Looks along as the frames of a streamed message pass by, without parsing those that repeat a known shape.

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import { KnownFrames } from '../known-frames.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import type { FrameVerdict, StreamTap } from '../protocol.ts';
import { MessageJudge } from './message-judge.ts';

/** Judges the frames of one answer. */
export class MessageStreamTap implements StreamTap {
  readonly nextSequence = 0;
  readonly #judge: MessageJudge;
  readonly #known = new KnownFrames();

  constructor(headers?: SignalHeaders) {
    this.#judge = new MessageJudge(headers);
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

  /** Nothing follows the event that ends an answer. */
  get done(): boolean {
    return this.#judge.finished;
  }

  get empty(): boolean {
    return this.#judge.empty;
  }

  frame(frame: Buffer): FrameVerdict {
    if (this.#known.match(frame) !== undefined) return 'content';
    const first = !this.#judge.content;
    const { verdict, event } = this.#judge.read(frame);
    if (verdict === 'content' && !first && isTextDelta(event)) {
      this.#known.learn(frame, (made) => this.#judge.preview(made));
    }
    return verdict;
  }
}

/** Frames of other kinds cannot be told by their bytes, or are few: lessons are too dear for them. */
function isTextDelta(event: JsonObject | undefined): boolean {
  return isJsonObject(event?.['delta']) && event['delta']['type'] === 'text_delta';
}
