import { describe, expect, it } from 'vitest';
import { mediaTypeOf, sniffImage } from '../../../proxy/protocols/media-type.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const png = latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR');
const html = Buffer.from('<!doctype html><title>Please sign in</title>');

describe('the type of bytes', () => {
  it.each([
    ['image/png', png],
    ['image/jpeg', latin1('\xff\xd8\xff\xe0\0\x10JFIF')],
    ['image/gif', latin1('GIF89a\x01\0')],
    ['image/webp', latin1('RIFF\x24\0\0\0WEBPVP8 ')],
    ['application/pdf', latin1('%PDF-1.7\n%\xe2\xe3')],
  ])('is %s by what they begin with, whatever their server says', (type, bytes) => {
    for (const declared of ['', 'application/octet-stream', 'text/html; charset=utf-8', 'image/tiff']) {
      expect(mediaTypeOf(bytes, declared)).toBe(type);
    }
    expect(sniffImage(bytes)).toBe(type.startsWith('image/') ? type : undefined);
  });

  it.each([
    ['text/csv; charset=utf-8', 'text/csv'],
    ['TEXT/Markdown', 'text/markdown'],
    ['application/json', 'text/plain'],
    ['application/ld+json', 'text/plain'],
  ])('is believed of text: %s', (declared, type) => {
    expect(mediaTypeOf(Buffer.from('größer,kleiner'), declared)).toBe(type);
  });

  it.each([
    ['a page where a picture should be', 'image/png', html],
    ['a page where a document should be', 'application/pdf', html],
    ['bytes that are no text', 'text/plain', Buffer.of(0xff, 0xfe, 0x41)],
    ['text with a NUL in it', 'text/plain', Buffer.from('a\0b')],
    ['text without a type', '', Buffer.from('a')],
    ['a type that is no name', 'constructor', Buffer.from('a')],
    ['a picture that models do not see', 'image/svg+xml', Buffer.from('<svg/>')],
    ['an archive', 'application/zip', latin1('PK\x03\x04')],
    ['a half of RIFF', 'audio/wav', latin1('RIFF\x24\0\0\0WAVEfmt ')],
    ['nothing', 'image/png', Buffer.alloc(0)],
  ])('is unknown of %s', (_what, declared, bytes) => {
    expect(mediaTypeOf(bytes, declared)).toBeUndefined();
  });

  it('is believed of what an archive may hold, if it is one', () => {
    const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
    expect(mediaTypeOf(latin1('PK\x03\x04\x14\0'), docx)).toBe(docx);
    expect(mediaTypeOf(html, docx)).toBeUndefined();
    expect(mediaTypeOf(latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'application/msword')).toBe('application/msword');
  });
});
