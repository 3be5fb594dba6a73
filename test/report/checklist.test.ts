import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checklistLines, checklistTable, readChecklist } from './checklist.ts';
import type { Report } from './summary.ts';

type Result = Report['testResults'][number]['assertionResults'][number];

const markdown = 'words\n\n1. One thing.\n2. Another.\n3. A third.\n4. The last.\n';

function result(status: Result['status'], title: string, ...ancestorTitles: string[]): Result {
  return { status, title, ancestorTitles, meta: {} };
}

const report: Report = {
  testResults: [
    {
      name: 'a',
      status: 'failed',
      assertionResults: [
        result('passed', '[1] is so'),
        result('passed', '[1] [2] is so too'),
        result('failed', '[2] is not'),
        result('passed', 'is so', 'a thing', '[1] among others'),
        result('skipped', '[3] might be'),
        result('passed', 'has a [4] in it'),
      ],
    },
  ],
};

test('an item is proven by tests that begin with its number, and by none that failed', () => {
  expect(readChecklist(markdown, report)).toEqual([
    { number: 1, sentence: 'One thing.', passed: 3, failed: 0 },
    { number: 2, sentence: 'Another.', passed: 1, failed: 1 },
    { number: 3, sentence: 'A third.', passed: 0, failed: 0 },
    { number: 4, sentence: 'The last.', passed: 0, failed: 0 },
  ]);
});

test('what is not proven is named', () => {
  const items = readChecklist(markdown, report);
  expect(checklistLines(items)).toEqual([
    'Checklist of protocols: 1 of 4 items proven, by 4 tests that passed.',
    '  failed: 2. Another.',
    '  no test: 3. A third.',
    '  no test: 4. The last.',
  ]);
  expect(checklistTable(items)).toEqual([
    '       3  1. One thing.',
    '  failed  2. Another.',
    ' no test  3. A third.',
    ' no test  4. The last.',
  ]);
});

test('the checklist has 208 items, numbered in order', () => {
  const items = readChecklist(readFileSync(new URL('checklist.md', import.meta.url), 'utf8'), undefined);
  expect(items.map(({ number }) => number)).toEqual(Array.from({ length: 208 }, (_, index) => index + 1));
});
