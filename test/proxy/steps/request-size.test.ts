import { expect, test } from 'vitest';
import { RequestSize } from '../../../proxy/steps/request-size.ts';
import { requestOf, snapshotOf } from './request-rig.ts';

const snapshot = snapshotOf({ only: {} });

function sizeOf(body: object, path = '/chat/v1/chat/completions'): RequestSize {
  return new RequestSize(requestOf(snapshot, { path, body: JSON.stringify(body) }));
}

const words = (count: number): string => 'word '.repeat(count);
const said = (content: unknown): object => ({ messages: [{ role: 'user', content }] });

test('a request that is near the limit is counted, by the tokens of the model that is asked', () => {
  const size = sizeOf(said(words(500)));
  expect(size.exceeds(490, 'gpt-4o')).toBe(true);
  expect(size.exceeds(520, 'gpt-4o')).toBe(false);
  const chinese = sizeOf(said('今天天气很好。'.repeat(100)));
  expect([chinese.exceeds(650, 'gpt-4'), chinese.exceeds(650, 'gpt-4o')]).toEqual([true, false]);
});

test('a picture counts that is only named', () => {
  const size = sizeOf(said([{ type: 'image_url', image_url: { url: 'https://a/b' } }]));
  expect([size.exceeds(500, 'gpt-4o'), size.exceeds(1_000, 'gpt-4o')]).toEqual([true, false]);
});

test('pictures count however few bytes they have', () => {
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const messages = [{ role: 'user', content: 'what?', images: Array.from({ length: 30 }, () => png) }];
  const size = sizeOf({ messages }, '/chat/api/chat');
  expect([size.exceeds(7_000, 'llava'), size.exceeds(8_000, 'llava')]).toEqual([true, false]);
});

test('a request with a few bytes is not even read', () => {
  const size = sizeOf({ messages: 'no messages' });
  expect(size.exceeds(1_000, 'gpt-4o')).toBe(false);
});

test.each([
  ['a chat that cannot be understood', { messages: words(100) }, '/chat/v1/chat/completions'],
  ['a request for vectors', { input: words(100) }, '/chat/v1/embeddings'],
  ['what nobody knows', { prompt: words(100) }, '/chat/v1/images/generations'],
])('of %s nothing is said', (_what, body, path) => {
  expect(sizeOf(body, path).exceeds(10, 'gpt-4o')).toBe(false);
});

test.each([
  ['/chat/v1/messages', { max_tokens: 1, ...said(words(100)) }],
  ['/chat/v1/responses', { input: words(100) }],
  ['/chat/api/chat', said(words(100))],
  ['/chat/api/generate', { prompt: words(100) }],
  ['/chat/v1/completions', { prompt: words(100) }],
])('%s is counted too', (path, body) => {
  const size = sizeOf(body, path);
  expect([size.exceeds(100, 'm'), size.exceeds(130, 'm')]).toEqual([true, false]);
});
