// Looks along as the frames of a streamed message pass by, without parsing those that repeat a known shape.

import type { SignalHeaders } from '../../canonical/failure.ts';
import { KnownFrames } from '../known-frames.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { Judged } from '../judged.ts';
import type { FrameVerdict, StreamTap } from '../protocol.ts';
import { MessageJudge } from './message-judge.ts';

/** Judges the frames of one answer. */
export class MessageStreamTap extends Judged<MessageJudge> implements StreamTap {
  readonly #known = new KnownFrames();

  constructor(headers?: SignalHeaders) {
    super(new MessageJudge(headers));
  }

  frame(frame: Buffer): FrameVerdict {
    if (this.#known.match(frame) !== undefined) return 'content';
    const first = !this.judge.content;
    const { verdict, event } = this.judge.read(frame);
    if (verdict === 'content' && !first && isTextDelta(event)) {
      this.#known.learn(frame, (made) => this.judge.preview(made));
    }
    return verdict;
  }
}

/** Frames of other kinds cannot be told by their bytes, or are few: lessons are too dear for them. */
function isTextDelta(event: JsonObject | undefined): boolean {
  return isJsonObject(event?.['delta']) && event['delta']['type'] === 'text_delta';
}
