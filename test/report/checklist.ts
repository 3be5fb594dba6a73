// Which items of checklist.md are proven, by the tests whose names begin with their numbers: `[57] …`, or `[57] [58] …`.

import type { Report } from './summary.ts';

/** One item, and what its tests came to. */
export interface Item {
  readonly number: number;
  readonly sentence: string;
  readonly passed: number;
  readonly failed: number;
}

const line = /^(\d+)\. (.+)$/gm;
const mark = /^((?:\[\d+\] ?)+)/;

/** Reads the items, and counts the tests of each. A name may have its numbers on any level. */
export function readChecklist(markdown: string, report: Report | undefined): readonly Item[] {
  const counts = new Map<number, { passed: number; failed: number }>();
  for (const { assertionResults } of report?.testResults ?? []) {
    for (const { status, ancestorTitles, title } of assertionResults) {
      if (status !== 'passed' && status !== 'failed') continue;
      for (const number of new Set([...ancestorTitles, title].flatMap(numbersOf))) {
        const count = counts.get(number) ?? { passed: 0, failed: 0 };
        count[status] += 1;
        counts.set(number, count);
      }
    }
  }
  return [...markdown.matchAll(line)].map(([, digits = '', sentence = '']) => {
    const number = Number(digits);
    return { number, sentence, passed: 0, failed: 0, ...counts.get(number) };
  });
}

function numbersOf(title: string): readonly number[] {
  return mark.exec(title)?.[1]?.match(/\d+/g)?.map(Number) ?? [];
}

/** A few lines: how many are proven, and which are not. */
export function checklistLines(items: readonly Item[]): readonly string[] {
  const proven = items.filter(({ passed, failed }) => passed > 0 && failed === 0);
  const tests = items.reduce((sum, { passed }) => sum + passed, 0);
  return [
    `Checklist of protocols: ${proven.length} of ${items.length} items proven, by ${tests} tests that passed.`,
    ...items.filter(({ failed }) => failed > 0).map((item) => `  failed: ${nameOf(item)}`),
    ...items.filter(({ passed, failed }) => passed + failed === 0).map((item) => `  no test: ${nameOf(item)}`),
  ];
}

/** One line for each item, with the number of tests that passed. */
export function checklistTable(items: readonly Item[]): readonly string[] {
  return items.map((item) => {
    const state = item.failed > 0 ? 'failed' : item.passed === 0 ? 'no test' : String(item.passed);
    return `${state.padStart(8)}  ${nameOf(item)}`;
  });
}

const widthMax = 100;

function nameOf({ number, sentence }: Item): string {
  const short = sentence.length > widthMax ? `${sentence.slice(0, widthMax - 1)}…` : sentence;
  return `${number}. ${short}`;
}
