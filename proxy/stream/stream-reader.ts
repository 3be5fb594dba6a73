// Reads a streamed answer frame by frame and decides which bytes are the client's. Knows no time and no connection.

import type { FailureSignal, SignalHeaders } from '../canonical/failure.ts';
import type { StreamTap } from '../protocols/protocol.ts';
import { SseFrames } from './sse-frames.ts';

/** One malformed frame is dropped; so many in a row mean that the stream is not what it says. */
const malformedMax = 3;

/** What some bytes of a stream came to. */
export interface Passage {
  /** What is passed on, in order. */
  readonly bytes: readonly Buffer[];
  /** Whether content is among it. */
  readonly content: boolean;
  /** Set if the answer broke after these bytes. */
  readonly failure: FailureSignal | undefined;
}

/** Reads one streamed answer. */
export class StreamReader {
  readonly #frames = new SseFrames();
  readonly #tap: StreamTap;
  readonly #headers: SignalHeaders;
  readonly #onMalformed: () => void;
  #malformed = 0;

  constructor(tap: StreamTap, headers: SignalHeaders, onMalformed: () => void) {
    this.#tap = tap;
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
      return {
        bytes: [],
        content: false,
        failure: this.#invalid(error instanceof Error ? error.message : String(error)),
      };
    }
    const passage = this.#judge(frames);
    // Usually every frame is passed on and the chunk held nothing else: then the chunk itself goes, in one write.
    const passed = passage.bytes.reduce((sum, frame) => sum + frame.length, 0);
    return fresh && passed === chunk.length ? { ...passage, bytes: [chunk] } : passage;
  }

  /** Reads the end: a last frame may lack its blank line, and a stream that has not said that it is complete is cut. */
  end(cause: unknown): Passage {
    const rest = this.#frames.flush();
    const last = rest === undefined ? nothing : this.#judge([Buffer.concat([rest, blankLine])]);
    if (last.failure !== undefined || this.#tap.finished) return last;
    return { ...last, failure: { type: 'truncated', cause } };
  }

  #judge(frames: readonly Buffer[]): Passage {
    const bytes: Buffer[] = [];
    let content = false;
    for (const frame of frames) {
      const verdict = this.#tap.frame(frame);
      this.#malformed = verdict === 'malformed' ? this.#malformed + 1 : 0;
      switch (verdict) {
        case 'content':
          content = true;
          bytes.push(frame);
          break;
        case 'lifecycle':
          // An error behind the marker would be seen by nobody.
          if (this.#tap.done && !this.#tap.finished) return { bytes, content, failure: markedTooEarly };
          bytes.push(frame);
          break;
        case 'hidden':
          break;
        case 'malformed':
          this.#onMalformed();
          if (this.#malformed < malformedMax) break;
          return { bytes, content, failure: this.#invalid(`${malformedMax} malformed frames in a row`) };
        case 'error':
          return { bytes, content, failure: this.#tap.error ?? this.#invalid('an error without words') };
      }
    }
    return { bytes, content, failure: undefined };
  }

  #invalid(detail: string): FailureSignal {
    return { type: 'invalid', detail, body: '', headers: this.#headers };
  }
}

const markedTooEarly: FailureSignal = { type: 'truncated', cause: new Error('marked as done before it had ended') };
const nothing: Passage = { bytes: [], content: false, failure: undefined };
const blankLine = Buffer.from('\n\n');
