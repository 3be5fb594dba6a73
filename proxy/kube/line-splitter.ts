// Lines out of bytes, however the bytes are cut: a watch is one JSON object a line.

/** A line that is longer than anything that is expected. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

const newline = 0x0a;

/** Takes bytes, gives the lines that they complete. */
export class LineSplitter {
  readonly #lineBytesMax: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Lines that end in this chunk, without their ends; empty ones are left out. Throws LineTooLong. */
  *push(chunk: Uint8Array): Generator<string> {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      this.#hold(chunk.subarray(from, end));
      const line = Buffer.concat(this.#pieces).toString('utf8');
      this.#pieces = [];
      this.#bytes = 0;
      from = end + 1;
      if (line.trim() !== '') yield line;
    }
    this.#hold(chunk.subarray(from));
  }

  #hold(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#lineBytesMax) throw new LineTooLong(`a line has more than ${this.#lineBytesMax} bytes`);
    if (piece.length > 0) this.#pieces.push(piece);
  }
}
