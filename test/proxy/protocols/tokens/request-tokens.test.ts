import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CanonicalRequest } from '../../../../proxy/canonical/request.ts';
import { protocolOf } from '../../../../proxy/protocols/registry.ts';
import {
  countEmbeddingTokens,
  countInputTokens,
  inputTokensAtMost,
} from '../../../../proxy/protocols/tokens/request-tokens.ts';

const request: CanonicalRequest = {
  model: 'gpt-4o',
  messages: [{ role: 'user', content: [{ type: 'text', text: 'hello world' }] }],
  tools: [],
  stop: [],
  stream: false,
  metadata: {},
};

const image = { type: 'image', source: { type: 'url', url: 'https://a/b.png' } } as const;

test('is the text by the tokenizer, and what turns cost', () => {
  expect(countInputTokens(request)).toBe(2 + 4 + 3);
});

test.each<[string, Partial<CanonicalRequest>, number]>([
  ['a tool', { tools: [{ name: 'weather', parameters: { type: 'object' } }] }, 4],
  ['a schema', { responseFormat: { type: 'json-schema', name: 'a', schema: { type: 'object' } } }, 4],
  ['a picture', { messages: [...request.messages, { role: 'user', content: [image] }] }, 765 + 4],
  [
    'a picture that is only glanced at',
    {
      messages: [
        { role: 'user', content: [{ ...image, metadata: { 'openai-chat': { image_url: { detail: 'low' } } } }] },
      ],
    },
    80,
  ],
])('grows with %s', (_what, more, by) => {
  expect(countInputTokens({ ...request, ...more })).toBeGreaterThanOrEqual(countInputTokens(request) + by);
});

test('a document of text is its text, and another is guessed by its bytes', () => {
  const data = Buffer.from('hello world '.repeat(500)).toString('base64');
  const of = (mediaType: string): number =>
    countInputTokens({
      ...request,
      messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'base64', mediaType, data } }] }],
    });
  expect(of('text/plain')).toBeGreaterThan(1_000);
  expect(of('application/pdf')).toBe(Math.ceil(data.length / 50) + 4 + 3);
});

test('[208] a request for vectors is its texts, or the tokens that stand for them', () => {
  const asked = { model: 'text-embedding-3-small', encoding: 'float', metadata: {} } as const;
  const texts = ['hello world', 'tiktoken is great!'].map((said) => ({ type: 'text', text: said }) as const);
  expect(countEmbeddingTokens({ ...asked, inputs: texts })).toBe(2 + 6);
  expect(countEmbeddingTokens({ ...asked, inputs: [{ type: 'tokens', tokens: [1, 2, 3] }] })).toBe(3);
});

/** Bodies of chats, from short to long, with more in them than text. */
const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const part = fc.oneof(
  text.map((said) => ({ type: 'text', text: said })),
  fc.constant({ type: 'image_url', image_url: { url: 'https://a/b' } }),
  fc.base64String().map((data) => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } })),
  fc.constant({ type: 'file', file: { file_id: 'f' } }),
);
/** Pictures of one pixel are the fewest bytes for their tokens; those of many pixels of one colour have as few. */
const pictures = [
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'iVBORw0KGgoAAAANSUhEUgAAH0AAAB9ACAYAAAAfFcSJ',
  'R0lGODlhAQABAAAAACw=',
  '/9j/4AAQ',
  'data:image/webp;base64,UklGRhoAAABXRUJQ',
];
const shown = fc.record({ role: fc.constant('user'), content: text, images: fc.array(fc.constantFrom(...pictures)) });

const call = fc.record({ id: fc.constant('c'), function: fc.record({ name: text, arguments: text }) });
const message = fc.oneof(
  fc.record({ role: fc.constant('user'), content: fc.oneof(text, fc.array(part)) }),
  fc.record({ role: fc.constant('assistant'), content: text, tool_calls: fc.array(call) }),
  fc.record({ role: fc.constant('tool'), tool_call_id: fc.constant('c'), content: text }),
);
const body = fc.record({
  model: fc.constantFrom('gpt-4', 'gpt-4o'),
  messages: fc.array(message),
  tools: fc.array(fc.record({ type: fc.constant('function'), function: fc.record({ name: text, description: text }) })),
});

describe('for whatever is asked', () => {
  test('it is a whole number from 1, and no more than the bytes allow', () => {
    fc.assert(
      fc.property(body, fc.integer({ min: 1, max: 5_000 }), (asked, charsMax) => {
        const bytes = Buffer.from(JSON.stringify(asked));
        const tokens = countInputTokens(protocolOf('openai-chat').chat!.decodeRequest(bytes), charsMax);
        expect(Number.isSafeInteger(tokens) && tokens >= 1, String(tokens)).toBe(true);
        expect(tokens).toBeLessThanOrEqual(inputTokensAtMost(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test('of Ollama it is no more than the bytes allow either, however small its pictures are', () => {
    const asked = fc.record({ model: fc.constant('llava'), messages: fc.array(shown, { minLength: 1 }) });
    fc.assert(
      fc.property(asked, fc.boolean(), (chat, escaped) => {
        const json = JSON.stringify(chat);
        const bytes = Buffer.from(escaped ? json.replaceAll('/', '\\/') : json);
        const tokens = countInputTokens(protocolOf('ollama-chat').chat!.decodeRequest(bytes));
        expect(tokens).toBeLessThanOrEqual(inputTokensAtMost(bytes));
      }),
    );
  });
});
