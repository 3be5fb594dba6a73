// Runs vitest and says at the end what ran and what did not. Arguments are passed on: `npm test -- test/proxy`,
// `npm test -- --project e2e`. With `--checklist` only the tests of the checklist run, and all of its items are listed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checklistLines, checklistTable, readChecklist } from './checklist.ts';
import { matrixLines } from './matrix.ts';
import { summarize, type Report } from './summary.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
const given = process.argv.slice(2);
const isChecklist = given.includes('--checklist');
const args = given.filter((arg) => arg !== '--checklist');
try {
  const reportFile = join(folder, 'report.json');
  const exitCode = await runVitest(reportFile, isChecklist ? [...args, '--testNamePattern', '\\[\\d+\\] '] : args);
  const report = await readReport(reportFile);
  const { lines, failed } = summarize(report, exitCode, root);
  const items = readChecklist(await readFile(new URL('checklist.md', import.meta.url), 'utf8'), report);
  const checklist = isChecklist
    ? [...checklistTable(items), '', ...checklistLines(items), '']
    : // Of a part of the tests it would say little.
      args.length === 0
      ? [...checklistLines(items), '']
      : [];
  // Not every cell of the matrix is of the checklist.
  const others = isChecklist ? [] : [...lines.slice(0, -1), ...matrixLines(report)];
  const told = [...others, ...checklist, ...lines.slice(-1)];
  console.log(`\n${told.join('\n')}`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function runVitest(reportFile: string, passedOn: readonly string[]): Promise<number> {
  const all = isChecklist ? ['unit', 'integration'] : ['unit', 'integration', 'kube'];
  const names = passedOn.some((arg) => arg.startsWith('--project')) ? [] : all;
  const projects = names.flatMap((name) => ['--project', name]);
  const reporters = [
    ...(isChecklist ? [] : ['--reporter=default']),
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
  ];
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const child = spawn(process.execPath, [vitest, 'run', ...projects, ...reporters, ...passedOn], {
    cwd: root,
    stdio: 'inherit',
  });
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

async function readReport(path: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Report;
  } catch {
    // vitest ended before it could write one; the summary counts that as a failure.
    return undefined;
  }
}
