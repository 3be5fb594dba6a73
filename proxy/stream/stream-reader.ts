// Reads a streamed answer frame by frame and decides which bytes are the client's. Knows no time and no connection.

import type { FailureSignal, SignalHeaders } from '../canonical/failure.ts';
import type { FrameSplitter, FrameVerdict, StreamFormat, StreamTap } from '../protocols/protocol.ts';

/** One malformed frame is dropped; so many in a row mean that the stream is not what it says. */
const malformedMax = 3;

/** What some bytes of a stream came to. */
export interface Passage {
  /** What is passed on, in order. */
  readonly bytes: readonly Buffer[];
  /** Whether content has come. */
  readonly content: boolean;
  /** Whether content is among what is passed on: another protocol may have to hold it back. */
  readonly shown: boolean;
  /** Set if the answer broke after these bytes. */
  readonly failure: FailureSignal | undefined;
}

/** How a stream is read. */
export interface StreamReaderSettings {
  readonly format: StreamFormat;
  readonly headers: SignalHeaders;
  /** Hears of each malformed frame. */
  readonly onMalformed: () => void;
}

/** Reads one streamed answer. */
export class StreamReader {
  readonly #frames: FrameSplitter;
  readonly #tap: StreamTap;
  readonly #headers: SignalHeaders;
  readonly #onMalformed: () => void;
  #malformed = 0;
  /** A frame of the last chunk was replaced. */
  #edited = false;
  /** Content has come, so that what the client is given from now on may be of it. */
  #begun = false;

  constructor(tap: StreamTap, { format, headers, onMalformed }: StreamReaderSettings) {
    this.#tap = tap;
    this.#frames = format.createSplitter();
    this.#headers = headers;
    this.#onMalformed = onMalformed;
  }

  /** Reads what has come. */
  read(chunk: Buffer): Passage {
    // Without a rest from before, frames that add up to the chunk are the chunk.
    const fresh = this.#frames.heldBytes === 0;
    let frames: readonly Buffer[];
    try {
      frames = this.#frames.push(chunk);
    } catch (error) {
      return this.#broken(error);
    }
    const passage = this.#judge(frames);
    if (!fresh || this.#edited || this.#tap.rewriting !== undefined) return passage;
    // Usually every frame is passed on and the chunk held nothing else: then the chunk itself goes, in one write.
    const passed = passage.bytes.reduce((sum, frame) => sum + frame.length, 0);
    return passed === chunk.length ? { ...passage, bytes: [chunk] } : passage;
  }

  /** Reads the end: a last frame may lack its end, and a stream that has not said that it is complete is cut. */
  end(cause: unknown): Passage {
    let rest: Buffer | undefined;
    try {
      rest = this.#frames.flush();
    } catch (error) {
      return this.#broken(error);
    }
    const last = rest === undefined ? nothing : this.#judge([rest]);
    if (last.failure !== undefined) return last;
    if (!this.#tap.finished) return { ...last, failure: { type: 'truncated', cause } };
    const { rewriting } = this.#tap;
    if (rewriting === undefined) return last;
    const { bytes, shown } = this.#rewritten(rewriting.end());
    return { ...last, bytes: [...last.bytes, ...bytes], shown: last.shown || shown, failure: this.#tap.error };
  }

  #judge(frames: readonly Buffer[]): Passage {
    const { rewriting } = this.#tap;
    const bytes: Buffer[] = [];
    let content = false;
    let failure: FailureSignal | undefined;
    this.#edited = false;
    for (const frame of frames) {
      const verdict = this.#tap.frame(frame);
      this.#malformed = verdict === 'malformed' ? this.#malformed + 1 : 0;
      failure = this.#failureOf(verdict);
      if (failure !== undefined) break;
      if (verdict === 'content') content = true;
      if (rewriting === undefined && verdict !== 'hidden' && verdict !== 'malformed') this.#pass(frame, bytes);
    }
    if (rewriting === undefined) return { bytes, content, shown: content, failure };
    if (content) this.#begun = true;
    return { ...this.#rewritten(rewriting.take()), content, failure };
  }

  /** Passes on the frame itself, or what the tap has made of it. */
  #pass(frame: Buffer, bytes: Buffer[]): void {
    const { replacement } = this.#tap;
    if (replacement !== undefined) this.#edited = true;
    if (replacement === undefined || replacement.length > 0) bytes.push(replacement ?? frame);
  }

  #rewritten(written: Buffer): Pick<Passage, 'bytes' | 'shown'> {
    if (written.length === 0) return { bytes: [], shown: false };
    return { bytes: [written], shown: this.#begun };
  }

  #failureOf(verdict: FrameVerdict): FailureSignal | undefined {
    switch (verdict) {
      case 'content':
      case 'hidden':
        return undefined;
      case 'lifecycle':
        // An error behind the marker would be seen by nobody.
        return this.#tap.done && !this.#tap.finished ? markedTooEarly : undefined;
      case 'malformed':
        this.#onMalformed();
        return this.#malformed < malformedMax ? undefined : this.#invalid(`${malformedMax} malformed frames in a row`);
      case 'error':
        return this.#tap.error ?? this.#invalid('an error without words');
    }
  }

  #broken(error: unknown): Passage {
    return { ...nothing, failure: this.#invalid(error instanceof Error ? error.message : String(error)) };
  }

  #invalid(detail: string): FailureSignal {
    return { type: 'invalid', detail, body: '', headers: this.#headers };
  }
}

const markedTooEarly: FailureSignal = { type: 'truncated', cause: new Error('marked as done before it had ended') };
const nothing: Passage = { bytes: [], content: false, shown: false, failure: undefined };
