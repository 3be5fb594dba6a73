// Notes what a stream says that is passed on as it is: read beside the tap, by the decoder of the same protocol.

import type { FailureSignal } from '../canonical/failure.ts';
import type { Usage } from '../canonical/usage.ts';
import type { AnswerProtocol, FrameVerdict, OpenStreamDecoder, StreamDecoder, StreamTap } from './protocol.ts';
import type { Transcript } from './transcript.ts';

/** Reads answers as `protocol` does, and notes what the client is given of them. */
export function recordAnswers(
  protocol: AnswerProtocol,
  openDecoder: OpenStreamDecoder,
  transcript: Transcript,
): AnswerProtocol {
  return {
    ...protocol,
    tap(options) {
      const { headers = {} } = options;
      return new RecordedTap(
        protocol.tap(options),
        openDecoder({ fallbackId: '', headers, passedOn: true }),
        transcript,
      );
    },
  };
}

class RecordedTap implements StreamTap {
  readonly #tap: StreamTap;
  readonly #decoder: StreamDecoder;
  readonly #transcript: Transcript;

  constructor(tap: StreamTap, decoder: StreamDecoder, transcript: Transcript) {
    this.#tap = tap;
    this.#decoder = decoder;
    this.#transcript = transcript;
  }

  frame(frame: Buffer): FrameVerdict {
    const verdict = this.#tap.frame(frame);
    if (this.#transcript.resumable && verdict !== 'error' && verdict !== 'malformed') {
      for (const part of this.#decoder.decode(frame).parts) this.#transcript.note(part);
      this.#transcript.told = this.#decoder.told;
    }
    return verdict;
  }

  get usage(): Usage | undefined {
    return this.#tap.usage;
  }

  get finished(): boolean {
    return this.#tap.finished;
  }

  get done(): boolean {
    return this.#tap.done;
  }

  get error(): FailureSignal | undefined {
    return this.#tap.error;
  }

  get empty(): boolean {
    return this.#tap.empty;
  }

  get nextSequence(): number {
    return this.#tap.nextSequence;
  }

  get replacement(): Buffer | undefined {
    return this.#tap.replacement;
  }
}
