import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countTextTokens, encodingOf } from '../../../../proxy/protocols/tokens/tokenizer.ts';

const whole = Number.MAX_SAFE_INTEGER;

test.each([
  ['gpt-4o', 'o200k_base'],
  ['gpt-4.1-mini', 'o200k_base'],
  ['gpt-5', 'o200k_base'],
  ['claude-opus-5', 'o200k_base'],
  ['meta/llama', 'o200k_base'],
  ['gpt-4', 'cl100k_base'],
  ['openai/gpt-4-turbo', 'cl100k_base'],
  ['gpt-35-turbo', 'cl100k_base'],
  ['text-embedding-3-small', 'cl100k_base'],
] as const)('%s is counted by %s', (model, encoding) => {
  expect(encodingOf(model)).toBe(encoding);
});

// From the documentation of tiktoken and its tests: https://github.com/openai/tiktoken
test.each([
  ['o200k_base', 'hello world', 2],
  ['cl100k_base', 'hello world', 2],
  ['cl100k_base', 'tiktoken is great!', 6],
  ['o200k_base', '', 0],
] as const)('%s finds in %j tokens: %i', (encoding, text, tokens) => {
  expect(countTextTokens([text], encoding, whole)).toBe(tokens);
});

test('marks of the vocabulary and halves of characters are text like any other', () => {
  expect(countTextTokens(['<|endoftext|>'], 'o200k_base', whole)).toBeGreaterThan(1);
  expect(countTextTokens(['\u{d800} a \u{dc00}'], 'o200k_base', whole)).toBeGreaterThan(1);
});

test('what is counted in pieces is within one in a hundred of the whole', () => {
  const words = ['The', ' gateway', ' answers', ' requests,', ' and', ' counts', ' what', ' they', ' cost.\n'];
  const text = Array.from({ length: 4_000 }, (_, at) => words[(at * 7) % words.length]).join('');
  const sentences = text.split('\n').map((line) => countTextTokens([`${line}\n`], 'o200k_base', whole));
  const tokens = sentences.reduce((sum, count) => sum + count, 0);
  expect(Math.abs(countTextTokens([text], 'o200k_base', whole) / tokens - 1)).toBeLessThan(0.01);
});

test('a sample speaks for a text of two languages, wherever each of them is', () => {
  const english = 'Numbers that nobody asked for are seldom right. '.repeat(2_000);
  const chinese = '数字很少是对的，没有人问过它们。'.repeat(2_000);
  const texts = [english, chinese];
  const exact = countTextTokens(texts, 'o200k_base', whole);
  expect(Math.abs(countTextTokens(texts, 'o200k_base', 16_384) / exact - 1)).toBeLessThan(0.05);
});

test('a long text without a space in it takes no longer than others', () => {
  countTextTokens(['warm'], 'o200k_base', whole);
  const before = process.cpuUsage().user;
  countTextTokens(['x'.repeat(10_000_000)], 'o200k_base', 65_536);
  expect((process.cpuUsage().user - before) / 1000).toBeLessThan(2_000);
});

test('is a number, and none below 0, for whatever texts', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 4_000 }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(fc.array(text), fc.integer({ min: 0, max: 3_000 }), (texts, charsMax) => {
      const tokens = countTextTokens(texts, 'o200k_base', charsMax);
      expect(tokens).toBeGreaterThanOrEqual(0);
      expect(tokens).toBeLessThanOrEqual(texts.reduce((sum, one) => sum + Buffer.byteLength(one), 0) + 1);
    }),
    { numRuns: 300 },
  );
});

test('no table is loaded before a text is counted', () => {
  const loads = `
    const { createRequire } = await import('node:module');
    const { cache } = createRequire('${import.meta.filename}');
    const tables = () => Object.keys(cache).filter((path) => path.includes('bpeRanks')).length;
    const { protocolOf } = await import('${import.meta.dirname}/../../../../proxy/protocols/registry.ts');
    const before = tables();
    await protocolOf('anthropic-count-tokens').estimate(Buffer.from('{"model":"m","messages":[]}'), 'm');
    const unread = tables();
    await protocolOf('anthropic-count-tokens').estimate(Buffer.from('{"model":"m","system":"a","messages":[]}'), 'm');
    console.log([before, unread, tables()].join());
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', loads], { encoding: 'utf8' });
  expect(printed.trim()).toBe('0,0,1');
});
