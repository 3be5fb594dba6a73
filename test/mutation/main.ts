// `npm run test:mutation`: changes the decisions about failures, one change at a time, and counts how many of the changes
// some test notices; the others are listed. `-- classify.ts` does one file. Some minutes of one core.

import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mutantsOf, type Mutant } from './mutants.ts';
import type { Task } from './worker.ts';

const routing = 'proxy/routing';
const classifierTests = ['error-names', 'error-prose', 'error-body', 'reset-time', 'classify'];

/** Files, and the tests that have to notice: the most telling ones first. */
const targets: readonly (readonly [path: string, tests: readonly string[]])[] = [
  ...['classifier-table', 'error-names', 'error-prose', 'error-status', 'error-body', 'classify', 'reset-time'].map(
    (name) => [`${routing}/${name}.ts`, classifierTests.map((test) => `test/${routing}/${test}.test.ts`)] as const,
  ),
  [`${routing}/consequence.ts`, [`test/${routing}/consequence.test.ts`, `test/${routing}/judge.test.ts`]],
  [`${routing}/disposition.ts`, [`test/${routing}/disposition.test.ts`, `test/${routing}/judge.test.ts`]],
  [`${routing}/retry-budget.ts`, [`test/${routing}/retry-budget.test.ts`]],
  ['proxy/state/disable-merge.ts', ['test/proxy/state/disable-merge.test.ts']],
];

/** An endless loop counts as noticed. */
const timeoutMs = 60_000;
/** Every load of the tests stays in memory. */
const tasksPerWorker = 150;
const scoreMin = 85;

let worker: ChildProcess | undefined;
let tasks = 0;

/** The name of the test that notices; undefined if none does. */
async function run(task: Task): Promise<string | undefined> {
  if (worker === undefined || tasks >= tasksPerWorker) {
    worker?.kill();
    worker = fork(new URL('worker.ts', import.meta.url));
    tasks = 0;
  }
  tasks += 1;
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const failed = (name: string) => (): void => {
    worker?.kill('SIGKILL');
    worker = undefined;
    resolve(name);
  };
  const timer = setTimeout(failed('(never ended)'), timeoutMs);
  const died = failed('(the process died)');
  worker.once('exit', died);
  worker.once('message', ({ failure }: { failure?: string }) => resolve(failure));
  worker.send(task);
  const failure = await promise;
  clearTimeout(timer);
  worker?.removeAllListeners();
  return failure;
}

function describe({ path, line, before, after }: Mutant): string {
  return `  ${path}:${line}  ${before.slice(0, 100)}  →  ${after.slice(0, 100) || '(nothing)'}`;
}

const wanted = process.argv.slice(2);
const chosen = targets.filter(([path]) => wanted.length === 0 || wanted.some((name) => path.endsWith(name)));
let noticed = 0;
let all = 0;
for (const [path, tests] of chosen) {
  const broken = await run({ mutant: undefined, tests });
  if (broken !== undefined) throw new Error(`fails without a change: ${broken}`);
  const mutants = mutantsOf(path, readFileSync(path, 'utf8'));
  const survivors: Mutant[] = [];
  for (const mutant of mutants) if ((await run({ mutant, tests })) === undefined) survivors.push(mutant);
  const dead = mutants.length - survivors.length;
  const share = ((100 * dead) / Math.max(1, mutants.length)).toFixed(1);
  process.stdout.write(
    `${path}: ${dead} of ${mutants.length} noticed, ${share} %\n${survivors.map(describe).join('\n')}\n`,
  );
  noticed += dead;
  all += mutants.length;
}
worker?.kill();
const percent = (100 * noticed) / all;
process.stdout.write(`mutation score ${percent.toFixed(1)} % (${noticed} of ${all})\n`);
process.exitCode = percent >= scoreMin ? 0 : 1;
