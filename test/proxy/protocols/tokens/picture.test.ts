import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pictureSize, pictureTokens, tokensOfLargest } from '../../../../proxy/protocols/tokens/picture.ts';

function bytes(...parts: readonly (string | readonly number[])[]): string {
  const whole = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );
  return Buffer.concat([whole, Buffer.alloc(32)]).toString('base64');
}

/** The beginning of a PNG of a size. */
function png(width: number, height: number): string {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  return bytes('\x89PNG\r\n\x1a\n', [0, 0, 0, 13], 'IHDR', [...size]);
}

test.each([
  ['PNG', png(640, 480)],
  ['GIF', bytes('GIF89a', [0x80, 2, 0xe0, 1])],
  [
    'JPEG, behind what a camera wrote',
    bytes([0xff, 0xd8, 0xff, 0xe1, 0, 6], 'Exif', [0xff, 0xc2, 0, 17, 8, 1, 0xe0, 2, 0x80]),
  ],
  ['WebP, extended', bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8X', [10, 0, 0, 0, 0, 0, 0, 0, 0x7f, 2, 0, 0xdf, 1, 0])],
  ['WebP, lossy', bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8 ', [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0xe0, 1])],
  ['WebP, lossless', bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8L', [0, 0, 0, 0, 0x2f, 0x7f, 0xc2, 0x77, 0])],
])('the size of a picture stands in its bytes: %s', (_kind, data) => {
  expect(pictureSize(data)).toEqual({ width: 640, height: 480 });
});

// https://platform.openai.com/docs/guides/images-vision#calculating-costs has the first two as examples.
test.each([
  [1024, 1024, 765],
  [2048, 4096, 1105],
  [1, 1, 255],
  [512, 512, 255],
  [10_000, 10, 765],
])('a picture of %i × %i is %i tokens', (width, height, tokens) => {
  expect(pictureTokens({ type: 'base64', mediaType: 'image/png', data: png(width, height) })).toBe(tokens);
});

test('whatever its bytes are, a picture has a price, and no higher one than the largest', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('', '\x89PNG', 'GIF8', 'RIFF', '\xff\xd8'),
      (rest, mark) => {
        const data = Buffer.concat([Buffer.from(mark, 'latin1'), rest]).toString('base64');
        const tokens = pictureTokens({ type: 'base64', mediaType: 'image/png', data });
        expect(tokens).toBeGreaterThan(0);
        expect(tokens).toBeLessThanOrEqual(tokensOfLargest);
      },
    ),
  );
});
