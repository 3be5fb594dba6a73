// Reads request bodies whole, within the limits of one body and of all bodies together.

import type { IncomingMessage } from 'node:http';
import { gunzip } from 'node:zlib';
import { BytePieces } from '../canonical/byte-pieces.ts';
import { isGzip } from './head.ts';
import type { IngressLimits } from './limits.ts';
import { httpRefusal, refusal, type Refusal } from './refusal.ts';

/** Body bytes that the process holds at the moment. Bytes count when they arrive: announcing them costs others nothing. */
export class HeldBytes {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes bytes if there is room for them. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** What has become of a body. */
export type BodyResult = Buffer | Refusal;

/** Whether a request has a body, by its framing. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return length === undefined ? headers['transfer-encoding'] !== undefined : length !== '0';
}

/** The body of one request. What it holds of the common room is given back with `release`, whatever happened. */
export class RequestBody {
  readonly #limits: IngressLimits;
  readonly #held: HeldBytes;
  readonly #pieces = new BytePieces();
  #size = 0;
  #smallChunks = 0;
  #taken = 0;
  #over = false;

  constructor(limits: IngressLimits, held: HeldBytes) {
    this.#limits = limits;
    this.#held = held;
  }

  /** Reads the body and calls `done` once; never, if the client leaves first. */
  read(request: IncomingMessage, done: (result: BodyResult) => void): void {
    const settle = (result: BodyResult) => {
      if (this.#over) return;
      this.#over = true;
      this.#pieces.clear();
      done(result);
    };
    // After a refusal chunks still come and are dropped, so that the client gets to read the answer.
    request.on('data', (chunk: Buffer) => {
      if (this.#over) return;
      this.#size += chunk.length;
      if (this.#size > this.#limits.bodyBytesMax) settle(refusal('request_too_large'));
      else if (this.#isCrumbling(chunk)) settle(httpRefusal(400, 'The request body comes in too many small chunks.'));
      else if (!this.#take(chunk.length)) settle(refusal('overloaded'));
      else this.#pieces.push(chunk);
    });
    request.on('end', () => {
      if (this.#over) return;
      // The parser hands out copies, so that a body of one chunk needs no other.
      const body = this.#pieces.take();
      const encoding = request.headers['content-encoding'];
      if (encoding === undefined || !isGzip(encoding)) return settle(body);
      // From here on the body is what it says without its encoding, and so must the fields that describe it be.
      delete request.headers['content-encoding'];
      delete request.headers['content-length'];
      this.#inflate(body, settle);
    });
  }

  /** Gives back what the body took; the second time nothing is left to give. */
  release(): void {
    this.#over = true;
    this.#held.giveBack(this.#taken);
    this.#taken = 0;
  }

  #isCrumbling(chunk: Buffer): boolean {
    if (chunk.length >= this.#limits.smallChunkBytes) return false;
    this.#smallChunks += 1;
    return this.#smallChunks > this.#limits.smallChunksMax;
  }

  #take(bytes: number): boolean {
    if (!this.#held.take(bytes)) return false;
    this.#taken += bytes;
    return true;
  }

  #inflate(body: Buffer, settle: (result: BodyResult) => void): void {
    const { bodyBytesMax, inflateFreeBytes, inflateRatioMax } = this.#limits;
    const bytesMax = Math.min(bodyBytesMax, Math.max(inflateFreeBytes, body.length * inflateRatioMax));
    // Taken before it is known to be needed: many bombs at once must not go past the common limit either.
    if (!this.#take(bytesMax)) return settle(refusal('overloaded'));
    gunzip(body, { maxOutputLength: bytesMax }, (error, inflated) => {
      if (this.#over) return;
      if (error !== null) return settle(inflateRefusal(error));
      this.#held.giveBack(bytesMax - inflated.length);
      this.#taken -= bytesMax - inflated.length;
      settle(inflated);
    });
  }
}

function inflateRefusal(error: NodeJS.ErrnoException): Refusal {
  if (error.code === 'ERR_BUFFER_TOO_LARGE') return refusal('request_too_large');
  return httpRefusal(400, 'The request body is not valid gzip.');
}
