// Runs vitest and says at the end what ran and what did not. Arguments are passed on: `npm test -- test/proxy`,
// `npm test -- --project e2e`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { summarize, type Report } from './summary.ts';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
try {
  const reportFile = join(folder, 'report.json');
  const exitCode = await runVitest(reportFile, process.argv.slice(2));
  const { lines, failed } = summarize(await readReport(reportFile), exitCode, root);
  console.log(`\n${lines.join('\n')}`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function runVitest(reportFile: string, args: readonly string[]): Promise<number> {
  const projects = args.some((arg) => arg.startsWith('--project'))
    ? []
    : ['unit', 'integration', 'kube'].flatMap((name) => ['--project', name]);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const child = spawn(process.execPath, [vitest, 'run', ...projects, ...reporters, ...args], {
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
