import { expect, test } from 'vitest';
import { summarize, type Report } from './summary.ts';

type File = Report['testResults'][number];
type Result = File['assertionResults'][number];

const passed: Result = { status: 'passed', ancestorTitles: [], title: 'adds', meta: {} };
const failed: Result = { ...passed, status: 'failed' };
const missing = { tool: 'redis-server', command: 'apt-get install redis-server' };
const wanting: Result = { status: 'skipped', ancestorTitles: ['store'], title: 'keeps', meta: { missing } };

function report(status: File['status'], ...assertionResults: Result[]): Report {
  return { testResults: [{ name: '/repo/test/a.test.ts', status, assertionResults }] };
}

test('the last line counts passed and failed tests', () => {
  const summary = summarize(report('failed', passed, failed), 1, '/repo');
  expect(summary.lines).toEqual(['1 passed, 1 failed']);
  expect(summary.failed).toBe(1);
});

test('a test that lacks a program is listed by name with the command that provides it', () => {
  expect(summarize(report('passed', passed, wanting), 0, '/repo').lines).toEqual([
    'Not run, for want of redis-server (it comes with: apt-get install redis-server):',
    '  test/a.test.ts > store > keeps',
    '',
    '1 passed, 0 failed',
  ]);
});

test('a file that fails outside its tests counts as one failure', () => {
  const summary = summarize(report('failed', passed), 1, '/repo');
  expect(summary.lines).toEqual(['Failed outside its tests: test/a.test.ts', '1 passed, 1 failed']);
});

test.each([
  ['that ends without a report', undefined, 1],
  ['that exits with an error although every test passed', report('passed', passed), 1],
  ['that found no test', report('passed'), 0],
])('a run %s has failed', (_what, given, exitCode) => {
  expect(summarize(given, exitCode, '/repo').failed).toBe(1);
});
