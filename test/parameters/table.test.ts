import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parameterTables, withTables } from './table.ts';

const document = readFileSync(new URL('../../proxy/protocols/README.md', import.meta.url), 'utf8');

test('the documentation has the tables that the codecs make: else npm run generate', () => {
  expect(withTables(document)).toBe(document);
});

test('[22] the tables say what becomes of a parameter, by the names of both sides', () => {
  const tables = parameterTables();
  const [head = ''] = tables.split('\n').filter((line) => /^\|.*Mistral/.test(line));
  const columns = head.split('|').map((name) => name.trim());
  const cellOf = (row: string, column: string): string | undefined => {
    const line = tables.split('\n').find((one) => one.startsWith(`| \`${row}\` `));
    return line?.split('|').map((cell) => cell.trim())[columns.findIndex((name) => name.includes(column))];
  };
  expect(cellOf('seed', 'Mistral')).toBe('`random_seed`');
  expect(cellOf('seed', 'Anthropic')).toBe('dropped');
  expect(cellOf('temperature: 2', 'Anthropic')).toBe('`temperature`, clamped');
  expect(cellOf('top_p', 'Gemini')).toBe('`generationConfig.topP`');
  expect(cellOf('n: 2', 'Cohere')).toBe('refused');
  expect(cellOf('top_k', 'Cohere')).toBe('`k`');
});
