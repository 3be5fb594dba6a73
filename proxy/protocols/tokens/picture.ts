// What a picture costs in tokens, by the rule that OpenAI documents: it is made to fit, and laid out in tiles. Other
// vendors have rules of their own that come to much the same for usual sizes.
// https://platform.openai.com/docs/guides/images-vision#calculating-costs

import type { Source } from '../../canonical/block.ts';

/** The whole picture, small: all that is looked at where `detail` is low. */
export const tokensOfGlance = 85;
const tokensPerTile = 170;
const tilePixels = 512;
/** What a picture is made to fit into, and then its shorter side. */
const fitPixels = 2048;
const shortSidePixels = 768;
/** What one is taken to be that does not say how large it is, or is elsewhere. */
const usual: Size = { width: 1024, height: 1024 };
/** The most that a picture comes to. */
export const tokensOfLargest = tokensOfGlance + 8 * tokensPerTile;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The tokens of a picture that is looked at closely. */
export function pictureTokens(source: Source): number {
  const known = source.type === 'base64' ? pictureSize(source.data) : undefined;
  const { width, height } = known ?? usual;
  const fit = Math.min(1, fitPixels / Math.max(width, height));
  const short = Math.min(1, shortSidePixels / (Math.min(width, height) * fit));
  const tiles = (pixels: number): number => Math.max(1, Math.ceil((pixels * fit * short) / tilePixels));
  return tokensOfGlance + tiles(width) * tiles(height) * tokensPerTile;
}

/** How much of a picture is read to find its size; that of a JPEG stands behind what cameras write about it. */
const headBytes = 64 * 1024;

/** Reads how large a picture is; undefined where its bytes do not say so. */
export function pictureSize(base64: string): Size | undefined {
  const bytes = Buffer.from(base64.slice(0, (headBytes / 3) * 4), 'base64');
  const size = bytes.length < 24 ? undefined : sizeByKind(bytes);
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
}

/** https://www.w3.org/TR/png/#11IHDR, https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
function sizeByKind(bytes: Buffer): Size | undefined {
  const mark = bytes.toString('latin1', 0, 4);
  if (mark === '\x89PNG') return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (mark === 'GIF8') return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  if (mark === 'RIFF' && bytes.length >= 30) return webpSize(bytes);
  return bytes.readUInt16BE(0) === 0xffd8 ? jpegSize(bytes) : undefined;
}

/** https://developers.google.com/speed/webp/docs/riff_container */
function webpSize(bytes: Buffer): Size | undefined {
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
    }
    default:
      return undefined;
  }
}

/** The frame header, behind any number of other segments. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.2.2 */
function jpegSize(bytes: Buffer): Size | undefined {
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
