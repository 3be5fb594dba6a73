// Bytes that come in pieces and are wanted whole. Knows nothing of what they mean or of how many are too many.

/** So many pieces in a row are looked at together. */
const rowPieces = 128;
/** A row of less than this is joined: 128 objects of some 400 bytes would take more memory than what they hold. */
const rowBytesMin = 64 * 1024;

/** Larger ones get memory of their own: one that waits for somebody would keep a whole slab of Node's pool (64 KiB). */
const pooledBytesMax = 1024;

/** Memory for bytes that may have to wait; it is not cleared. */
export function allocate(length: number): Buffer {
  return length > pooledBytesMax ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length);
}

/**
 * Holds pieces until all of them are taken as one. Small ones are joined as they come: whoever sends single bytes, each
 * as a chunk of its own, must not make us hold hundreds of times as many.
 */
export class BytePieces {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** The latest pieces, those that no row has been made of yet. */
  #row = 0;
  #rowBytes = 0;

  /** Bytes in all pieces. */
  get bytes(): number {
    return this.#bytes;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#rowBytes += piece.length;
    this.#row += 1;
    if (this.#row < rowPieces) return;
    if (this.#rowBytes < rowBytesMin) this.#pieces.push(join(this.#pieces.splice(-this.#row), this.#rowBytes));
    this.#row = 0;
    this.#rowBytes = 0;
  }

  /** All bytes, which stay held. */
  whole(): Buffer {
    const whole = this.take();
    this.push(whole);
    return whole;
  }

  /** All bytes, without a copy if they came as one; nothing is held any more. */
  take(): Buffer {
    const [only] = this.#pieces;
    const whole = this.#pieces.length === 1 && only !== undefined ? only : join(this.#pieces, this.#bytes);
    this.clear();
    return whole;
  }

  clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#row = 0;
    this.#rowBytes = 0;
  }
}

function join(pieces: readonly Buffer[], length: number): Buffer {
  const whole = allocate(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
