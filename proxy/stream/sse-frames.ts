// Splits the bytes of a server-sent event stream into frames, each with the blank line that ends it, so that they can be
// judged and forwarded as they came. https://html.spec.whatwg.org/multipage/server-sent-events.html

import { BytePieces } from '../canonical/byte-pieces.ts';
import type { FrameSplitter, StreamFormat } from '../protocols/protocol.ts';

/** A single line of more than this is an attack: the largest known are whole answers in one `data:` line. */
const lineBytesMax = 1024 * 1024;

/** The same for a whole frame. */
const frameBytesMax = 4 * 1024 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Server-sent events. Plain servers call them text. */
export const serverSentEvents: StreamFormat = {
  contentTypes: /^text\/(event-stream|plain)/i,
  createSplitter: () => new SseFrames(),
};

/** Thrown by `SseFrames.push` when a line or a frame is longer than its limit. The stream cannot be read any further. */
export class FrameOverflowError extends Error {
  override readonly name = 'FrameOverflowError';
}

/** Splits one stream. The frames are the same however the bytes are cut into chunks. */
export class SseFrames implements FrameSplitter {
  /** Bytes of the frame that has not ended yet. */
  readonly #pending = new BytePieces();
  /** Bytes of the line that has not ended yet. */
  #lineBytes = 0;
  /** The last chunk ended with `\r`: a `\n` at the start of the next one belongs to it. */
  #returned: 'no' | 'line' | 'frame' = 'no';
  #firstLine = true;

  /** Bytes held back until their frame is complete. */
  get heldBytes(): number {
    return this.#pending.bytes;
  }

  /** Takes a chunk and gives the frames that it completes. Throws FrameOverflowError. */
  push(chunk: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    if (chunk.length === 0) return frames;
    let at = this.#resume(chunk, frames);
    let frameStart = frames.length === 0 ? 0 : at;
    let nextReturn = chunk.indexOf(carriageReturn, at);
    while (at < chunk.length) {
      const nextFeed = chunk[at] === lineFeed ? at : chunk.indexOf(lineFeed, at);
      if (nextReturn !== -1 && nextReturn < at) nextReturn = chunk.indexOf(carriageReturn, at);
      const lineEnd = nextReturn !== -1 && (nextFeed === -1 || nextReturn < nextFeed) ? nextReturn : nextFeed;
      this.#count(at, lineEnd === -1 ? chunk.length : lineEnd, frameStart);
      if (lineEnd === -1) break;
      const blank = this.#endLine(chunk, frameStart);
      at = lineEnd + 1;
      if (lineEnd === nextReturn && at === chunk.length) {
        // Whether a `\n` follows only the next chunk can tell.
        this.#returned = blank ? 'frame' : 'line';
        break;
      }
      if (lineEnd === nextReturn && chunk[at] === lineFeed) at++;
      if (!blank) continue;
      frames.push(this.#take(chunk, frameStart, at));
      frameStart = at;
    }
    if (frameStart < chunk.length) this.#pending.push(frameStart === 0 ? chunk : chunk.subarray(frameStart));
    return frames;
  }

  /** What is left when the stream has ended: a last frame, with the blank line that it lacks. */
  flush(): Buffer | undefined {
    if (this.#pending.bytes === 0) return undefined;
    this.#lineBytes = 0;
    this.#returned = 'no';
    return this.#take(blankLine, 0, blankLine.length);
  }

  /** Settles what the end of the last chunk left open; gives the offset at which the next line begins. */
  #resume(chunk: Buffer, frames: Buffer[]): number {
    const returned = this.#returned;
    if (returned === 'no') return 0;
    this.#returned = 'no';
    const at = chunk[0] === lineFeed ? 1 : 0;
    if (returned === 'frame') frames.push(this.#take(chunk, 0, at));
    return at;
  }

  /** The frame that ends at `to`, without a copy unless a part of it came earlier. */
  #take(chunk: Buffer, from: number, to: number): Buffer {
    const bytes = chunk.subarray(from, to);
    if (this.#pending.bytes === 0) return bytes;
    this.#pending.push(bytes);
    return this.#pending.take();
  }

  #count(from: number, to: number, frameStart: number): void {
    this.#lineBytes += to - from;
    if (this.#lineBytes > lineBytesMax) throw new FrameOverflowError(`a line is longer than ${lineBytesMax} bytes`);
    if (this.#pending.bytes + to - frameStart > frameBytesMax) {
      throw new FrameOverflowError(`a frame is longer than ${frameBytesMax} bytes`);
    }
  }

  /** Whether the line that ends here is blank. On the first line of a stream a byte order mark does not count. */
  #endLine(chunk: Buffer, frameStart: number): boolean {
    const bytes = this.#lineBytes;
    const first = this.#firstLine;
    this.#lineBytes = 0;
    this.#firstLine = false;
    if (bytes === 0 || !first || bytes !== byteOrderMark.length) return bytes === 0;
    return byteOrderMark.equals(Buffer.concat([this.#pending.whole(), chunk.subarray(frameStart)]).subarray(0, bytes));
  }
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const blankLine = Buffer.from('\n\n');
