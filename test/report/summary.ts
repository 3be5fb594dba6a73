// What a test run says at its end, computed from vitest's JSON report: the tests that did not run, each with its reason,
// and one line of figures. Counts everything that kept the run from succeeding as failed, test or not.

import type { Missing } from '../support/requires.ts';
import type { Place } from './place.ts';

/** The parts of vitest's JSON report that the summary reads. */
export interface Report {
  readonly testResults: readonly {
    /** Absolute path of the test file. */
    readonly name: string;
    readonly status: 'passed' | 'failed';
    readonly assertionResults: readonly Result[];
  }[];
}

interface Result {
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo' | 'disabled';
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly meta: { readonly missing?: Missing; readonly matrix?: Place };
}

/** The lines to print, the last of which is `N passed, N failed`, and the numbers in it. */
export interface Summary {
  readonly lines: readonly string[];
  readonly passed: number;
  readonly failed: number;
}

/** Sums up a run. `exitCode` is the runner's own verdict; without a report the run as a whole counts as one failure. */
export function summarize(report: Report | undefined, exitCode: number, root: string): Summary {
  const files = report?.testResults ?? [];
  const results = files.flatMap((file) => file.assertionResults);
  const passed = results.filter((result) => result.status === 'passed').length;
  const failedTests = results.filter((result) => result.status === 'failed').length;
  // A file that fails outside its tests (an import, a hook) has no failed test to show for it.
  const broken = files.filter((file) => file.status === 'failed' && !file.assertionResults.some(isFailed));
  const lines = broken.map((file) => `Failed outside its tests: ${relative(file.name, root)}`);

  let failed = failedTests + broken.length;
  if (failed === 0 && (exitCode !== 0 || results.length === 0)) {
    lines.push(`The run itself failed (exit code ${exitCode}, ${results.length} tests found).`);
    failed = 1;
  }
  return { lines: [...notRun(files, root), ...lines, `${passed} passed, ${failed} failed`], passed, failed };
}

function notRun(files: Report['testResults'], root: string): string[] {
  const byReason = new Map<string, string[]>();
  for (const file of files) {
    for (const result of file.assertionResults) {
      if (result.status === 'passed' || result.status === 'failed') continue;
      const reason = reasonOf(result, file.status);
      const name = [relative(file.name, root), ...result.ancestorTitles, result.title].join(' > ');
      byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
    }
  }
  return [...byReason].flatMap(([reason, names]) => [`Not run, ${reason}:`, ...names.map((name) => `  ${name}`), '']);
}

function reasonOf(result: Result, fileStatus: 'passed' | 'failed'): string {
  const { missing } = result.meta;
  if (missing) return `for want of ${missing.tool} (it comes with: ${missing.command})`;
  if (result.status === 'todo') return 'not written yet';
  return fileStatus === 'failed' ? 'skipped in a file that failed' : 'skipped by the test itself or by a filter';
}

function isFailed(result: Result): boolean {
  return result.status === 'failed';
}

function relative(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
