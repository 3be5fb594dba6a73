import { expect, test } from 'vitest';
import { matrixLines } from './matrix.ts';
import type { Report } from './summary.ts';

type Result = Report['testResults'][number]['assertionResults'][number];

function result(status: Result['status'], client: string, vendor: string, feature: string): Result {
  return { status, title: feature, ancestorTitles: [], meta: { matrix: { client, vendor, feature } } };
}

test('the table has a letter for all that passed, and says what did not or is not there', () => {
  const assertionResults = [
    result('passed', 'a client', 'one', 'chat'),
    result('failed', 'a client', 'one', 'tools'),
    result('passed', 'another', 'one', 'error'),
    result('passed', 'a client', 'the second', 'chat'),
    result('skipped', 'another', 'the second', 'chat'),
  ];
  const lines = matrixLines({ testResults: [{ name: 'a', status: 'passed', assertionResults }] });
  expect(lines.slice(0, 4)).toEqual([
    'Official clients and vendors: 3 of 4 passed.',
    '              a client  another',
    '  one         c·!·····  ·······e',
    '  the second  c·······  ········',
  ]);
  expect(lines.at(-1)).toBe('');
});

test('there is none where no such test has run', () => {
  expect(matrixLines(undefined)).toEqual([]);
  expect(matrixLines({ testResults: [] })).toEqual([]);
});
