// AWS event streams: frames with their length in front, headers, a payload, and two checksums.
// https://smithy.io/2.0/aws/amazon-eventstream.html

import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';

import type * as EventStreams from '@smithy/core/event-streams';

import { BytePieces } from '../../canonical/byte-pieces.ts';
import type { FrameSplitter, StreamFormat } from '../protocol.ts';

/** The same limit as for frames of SSE: whole messages in one are far smaller. */
const frameBytesMax = 4 * 1024 * 1024;

/** Length of the frame, length of its headers, and the checksum of both. */
const preludeBytes = 12;
/** A prelude, and the checksum at the end. */
const frameBytesMin = 16;

/** Streams of such frames. */
export const eventStream: StreamFormat = {
  contentTypes: /^application\/vnd\.amazon\.eventstream/i,
  createSplitter: () => new EventStreamFrames(),
};

/** Splits one stream. The frames are the same however the bytes are cut into chunks. */
export class EventStreamFrames implements FrameSplitter {
  readonly #held = new BytePieces();
  /** Bytes of the frame that has begun; 0 until its prelude is there. */
  #frameBytes = 0;

  get heldBytes(): number {
    return this.#held.bytes;
  }

  /** Throws where the length of a frame is not to be believed: nobody knows where the next one begins. */
  push(chunk: Buffer): readonly Buffer[] {
    const frames: Buffer[] = [];
    let rest = chunk;
    for (;;) {
      const wanted = this.#frameBytes === 0 ? preludeBytes : this.#frameBytes;
      const missing = wanted - this.#held.bytes;
      if (rest.length < missing) break;
      this.#held.push(rest.subarray(0, missing));
      rest = rest.subarray(missing);
      if (this.#frameBytes === 0) {
        this.#frameBytes = readLength(this.#held.whole());
      } else {
        frames.push(this.#held.take());
        this.#frameBytes = 0;
      }
    }
    if (rest.length > 0) this.#held.push(rest);
    return frames;
  }

  /** Part of a frame is none. */
  flush(): undefined {
    return undefined;
  }
}

function readLength(prelude: Buffer): number {
  if (crc32(prelude.subarray(0, 8)) !== prelude.readUInt32BE(8))
    throw new Error('a frame begins with a wrong checksum');
  const bytes = prelude.readUInt32BE(0);
  if (bytes < frameBytesMin || bytes > frameBytesMax) throw new Error(`a frame has ${bytes} bytes`);
  return bytes;
}

/** What one frame says. */
export interface EventStreamMessage {
  /** `event`, `exception` or `error`. */
  readonly type: string;
  /** The type of the event or exception, or the code of the error. */
  readonly name: string;
  /** What it carries: JSON, or for an error its message. */
  readonly text: string;
}

/** Reads one frame; undefined if its checksums or headers are wrong. */
export type ReadMessage = (frame: Buffer) => EventStreamMessage | undefined;

/**
 * A reader for the frames of one stream. AWS's own codec is loaded with the first of them: it takes 15 MB, and most
 * proxies never see one. To look it up for each frame would cost twenty times as much as to read the frame.
 */
export function createMessageReader(): ReadMessage {
  const { EventStreamCodec } = load('@smithy/core/event-streams') as typeof EventStreams;
  const codec = new EventStreamCodec(toUtf8, fromUtf8);
  return function readMessage(frame) {
    try {
      return toMessage(codec.decode(frame));
    } catch {
      return undefined;
    }
  };
}

function toMessage({ headers, body }: EventStreams.Message): EventStreamMessage {
  const header = (name: string): string => String(headers[name]?.value ?? '');
  const type = header(':message-type');
  if (type === 'error') return { type, name: header(':error-code'), text: header(':error-message') };
  return { type, name: header(type === 'exception' ? ':exception-type' : ':event-type'), text: toUtf8(body) };
}

const load = createRequire(import.meta.url);

function toUtf8(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function fromUtf8(text: string): Uint8Array {
  return Buffer.from(text);
}
