// Undoes the content encoding of an answer. Upstreams are asked for none; some compress all the same.

import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** Hears decoded bytes. */
export interface DecodedListener {
  data(chunk: Buffer): void;
  end(): void;
  /** The bytes are not what the encoding says, or could not be taken. */
  broken(error: Error): void;
  /** What was pushed has been worked off. */
  ready(): void;
}

/** Takes encoded bytes. */
export interface ContentDecoder {
  /** False asks to wait for `ready` before pushing more. */
  push(chunk: Buffer): boolean;
  end(): void;
  /** Decodes no further until `resume`: a few bytes may stand for a thousand times as many. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

const decoders = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/**
 * A decoder for one encoding; undefined for `identity`. Throws on anything else, chains of encodings included: they are
 * how decompression bombs are built.
 */
export function createContentDecoder(
  encoding: string | undefined,
  listener: DecodedListener,
): ContentDecoder | undefined {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return undefined;
  if (!Object.hasOwn(decoders, name)) throw new Error(`the content encoding ${name.slice(0, 40)} is not supported`);
  const stream = decoders[name as keyof typeof decoders]();
  // A fault of ours must not end the process: here nobody else would catch it.
  const guard = (hear: () => void): void => {
    try {
      hear();
    } catch (error) {
      stream.destroy();
      listener.broken(error instanceof Error ? error : new Error(String(error)));
    }
  };
  stream.on('data', (chunk: Buffer) => guard(() => listener.data(chunk)));
  stream.on('end', () => guard(() => listener.end()));
  stream.on('error', (error) => listener.broken(error));
  stream.on('drain', () => listener.ready());
  return {
    push: (chunk) => stream.write(chunk),
    end: () => void stream.end(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    destroy: () => void stream.destroy(),
  };
}
