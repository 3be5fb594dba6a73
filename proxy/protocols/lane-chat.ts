// The answer side of the translating lane, in the shape of the pass-through lane: answers of an upstream are judged by
// its codec, and what the client is given is written by the client's.

import type { FailureSignal, SignalHeaders } from '../canonical/failure.ts';
import type { StreamPart } from '../canonical/response.ts';
import type { Usage } from '../canonical/usage.ts';
import type { ChatLane } from './lane.ts';
import type {
  AnswerContext,
  AnswerProtocol,
  FrameVerdict,
  Rewriting,
  StreamDecoder,
  StreamEncoder,
  StreamTap,
} from './protocol.ts';
import { TextLimit } from './text-limit.ts';
import type { Transcript } from './transcript.ts';

/** Reads answers of a lane's upstream as answers of the client's protocol. `transcript` notes what the client is given. */
export function createChatAnswers(
  { client, upstream }: ChatLane,
  context: AnswerContext,
  transcript?: Transcript,
): AnswerProtocol {
  const fallbackId = context.requestId;
  return {
    streamFormat: upstream.streamFormat,
    rewrites: true,
    readAnswer(body, headers = {}) {
      const decoded = upstream.decodeResponse(body, fallbackId, headers);
      if (decoded.type === 'invalid') return { usage: undefined, signal: decoded.signal, empty: true };
      const { response, empty } = decoded;
      return { usage: response.usage, signal: undefined, empty, body: client.encodeResponse(response, context) };
    },
    tap({ headers = {} }) {
      const decoder = upstream.streamDecoder({ fallbackId, headers });
      return new ChatTap(decoder, client.streamEncoder(context), { headers, transcript });
    },
  };
}

const nothing = Buffer.alloc(0);

/** What a tap needs beside its decoder and encoder. */
export interface ChatTapSettings {
  readonly headers: SignalHeaders;
  readonly transcript?: Transcript | undefined;
  /** What the client has to be told first, of an answer that this one goes on with. */
  readonly untold?: Buffer | undefined;
}

/** Judges frames of one protocol, and gives bytes of another for them. */
export class ChatTap implements StreamTap, Rewriting {
  readonly rewriting = this;
  readonly #decoder: StreamDecoder;
  readonly #encoder: StreamEncoder;
  readonly #limit: TextLimit;
  readonly #transcript: Transcript | undefined;
  #pieces: Buffer[];
  /** An error that is not that of a frame. */
  #error: FailureSignal | undefined;

  constructor(
    decoder: StreamDecoder,
    encoder: StreamEncoder,
    { headers, transcript, untold = nothing }: ChatTapSettings,
  ) {
    this.#pieces = untold.length === 0 ? [] : [untold];
    this.#decoder = decoder;
    this.#encoder = encoder;
    this.#limit = new TextLimit(headers);
    this.#transcript = transcript;
  }

  get usage(): Usage | undefined {
    return this.#decoder.usage;
  }

  get finished(): boolean {
    return this.#decoder.finished;
  }

  get done(): boolean {
    return this.#decoder.done;
  }

  get error(): FailureSignal | undefined {
    return this.#error ?? this.#decoder.error;
  }

  get empty(): boolean {
    return this.#decoder.empty;
  }

  /** Errors are said to the client: it is the client's numbers that go on. */
  get nextSequence(): number {
    return this.#encoder.nextSequence ?? 0;
  }

  frame(frame: Buffer): FrameVerdict {
    const { verdict, parts } = this.#decoder.decode(frame);
    this.#write(parts);
    return this.#error === undefined ? verdict : 'error';
  }

  take(): Buffer {
    const pieces = this.#pieces;
    if (pieces.length === 0) return nothing;
    this.#pieces = [];
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  end(): Buffer {
    this.#write(this.#decoder.end());
    return this.take();
  }

  #write(parts: readonly StreamPart[]): void {
    for (const part of parts) {
      if (part.type === 'error') {
        this.#error ??= part.signal;
        return;
      }
      if (part.type === 'delta') this.#error ??= this.#limit.add(part.text);
      this.#transcript?.note(part);
      const bytes = this.#encoder.encode(part);
      if (bytes.length > 0) this.#pieces.push(bytes);
    }
  }
}
