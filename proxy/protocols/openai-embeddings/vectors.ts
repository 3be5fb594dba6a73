// Vectors as this protocol writes them: lists of numbers, or little-endian 32-bit floats in base64. Official clients ask
// for the latter unless they are told otherwise.

import type { Vector, VectorEncoding } from '../../canonical/embedding.ts';
import { isVector } from '../embedding-answer.ts';

const floatBytes = 4;

/** Writes a vector. */
export function encodeVector(vector: Vector, encoding: VectorEncoding): readonly number[] | string {
  if (encoding === 'float') return vector;
  const bytes = Buffer.allocUnsafe(vector.length * floatBytes);
  for (let index = 0; index < vector.length; index++) bytes.writeFloatLE(vector[index]!, index * floatBytes);
  return bytes.toString('base64');
}

/** Reads a vector, whichever way it is written; undefined if it is none. */
export function decodeVector(value: unknown): Vector | undefined {
  const vector = typeof value === 'string' ? decodeFloats(value) : value;
  return isVector(vector) ? vector : undefined;
}

function decodeFloats(text: string): readonly number[] | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % floatBytes !== 0) return undefined;
  return Array.from({ length: bytes.length / floatBytes }, (_, index) => bytes.readFloatLE(index * floatBytes));
}
