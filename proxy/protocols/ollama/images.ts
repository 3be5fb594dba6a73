// Pictures as this protocol has them: base64 without a word about what they are.

import type { Source } from '../../canonical/block.ts';
import { ClientError } from '../../canonical/client-error.ts';
import { sniffImage } from '../media-type.ts';
import type { MemberReader } from '../member-reader.ts';

/** Characters of base64 that hold the longest signature of an image. */
const signatureChars = 16;

/** Reads a list of pictures. */
export function decodeImages(reader: MemberReader, name = 'images'): readonly Source[] {
  const images = reader.any(name);
  if (images === undefined) return [];
  if (!Array.isArray(images)) throw reader.refuse(name, 'must be a list.');
  return images.map((image: unknown, index) => {
    const source = typeof image === 'string' ? decodeImage(image) : undefined;
    if (source === undefined) throw reader.refuse(`${name}[${index}]`, 'must be a PNG, JPEG, GIF or WebP in base64.');
    return source;
  });
}

/** Some clients send a `data:` URL all the same, and some encoders break lines. */
function decodeImage(image: string): Source | undefined {
  const bare = image.startsWith('data:') ? image.slice(image.indexOf(',') + 1) : image;
  const data = /\s/.test(bare) ? bare.replaceAll(/\s/g, '') : bare;
  const mediaType = sniffImage(Buffer.from(data.slice(0, signatureChars), 'base64'));
  return mediaType === undefined ? undefined : { type: 'base64', mediaType, data };
}

/** Writes a picture. The server fetches nothing: an address has to have become bytes before. */
export function encodeImage(source: Source): string {
  if (source.type === 'base64') return source.data;
  const what = source.type === 'url' ? 'its address' : 'the id of a file';
  throw new ClientError('invalid_request', { message: `An image cannot be given to this model by ${what}.` });
}
