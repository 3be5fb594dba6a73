// Splits the bytes of a stream of JSON lines into frames: one line each, with the line feed that ends it, so that they
// can be judged and forwarded as they came. https://github.com/ndjson/ndjson-spec

import { BytePieces } from '../canonical/byte-pieces.ts';
import type { FrameSplitter, StreamFormat } from './protocol.ts';

/** A longer line is an attack: the largest known are whole answers in one. The same limit as for frames of SSE. */
const lineBytesMax = 4 * 1024 * 1024;

/** JSON lines. Some servers call them by the name of one, or text. */
export const ndjson: StreamFormat = {
  contentTypes: /^(application\/(x-ndjson|ndjson|jsonl|x-jsonlines|json)|text\/plain)/i,
  createSplitter: () => new NdjsonFrames(),
};

const lineFeed = 0x0a;
const lineEnd = Buffer.from('\n');

/** Splits one stream. The frames are the same however the bytes are cut into chunks; blank lines are frames too. */
export class NdjsonFrames implements FrameSplitter {
  /** Bytes of the line that has not ended yet. */
  readonly #pending = new BytePieces();

  get heldBytes(): number {
    return this.#pending.bytes;
  }

  /** Takes a chunk and gives the lines that it completes. Throws where a line is longer than its limit. */
  push(chunk: Buffer): readonly Buffer[] {
    const frames: Buffer[] = [];
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, from)) {
      this.#count(end - from);
      frames.push(this.#take(chunk.subarray(from, end + 1)));
      from = end + 1;
    }
    this.#count(chunk.length - from);
    if (from < chunk.length) this.#pending.push(chunk.subarray(from));
    return frames;
  }

  /** A last line that nothing ends, with the line feed that it lacks: what is written after it begins a line of its own. */
  flush(): Buffer | undefined {
    return this.#pending.bytes === 0 ? undefined : this.#take(lineEnd);
  }

  /** A line, without a copy unless a part of it came earlier. */
  #take(bytes: Buffer): Buffer {
    if (this.#pending.bytes === 0) return bytes;
    this.#pending.push(bytes);
    return this.#pending.take();
  }

  #count(bytes: number): void {
    if (this.#pending.bytes + bytes > lineBytesMax) throw new Error(`a line is longer than ${lineBytesMax} bytes`);
  }
}
