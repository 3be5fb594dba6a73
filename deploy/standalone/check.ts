// `sluice check`: everything that is wrong with files, and on request the way that a request would take through them.

import type { Terminal } from '../../proxy/command-line/terminal.ts';
import { explain } from './explain/explain.ts';
import type { ExplainedRequest } from './explain/request.ts';
import { load } from './load/load.ts';
import { type FileProblem, formatProblem, hasErrors } from './load/problem.ts';
import type { Environment } from './load/variables.ts';
import { judge } from './verdict.ts';

/** What is to be checked, and how. */
export interface CheckSettings {
  readonly paths: readonly string[];
  readonly className: string;
  readonly disableSecondsDefault: number;
  readonly requests: readonly ExplainedRequest[];
}

/** What checking needs of the outside. */
export interface CheckContext {
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** Unix milliseconds: decides which keys have expired. */
  readonly now: number;
}

/** Prints every problem. Returns 0 if everything is accepted and resolved, 2 if something could not be read, else 1. */
export async function check(settings: CheckSettings, { environment, terminal, now }: CheckContext): Promise<number> {
  const { paths, className, disableSecondsDefault, requests } = settings;
  const loaded = await load(paths, environment);
  const verdict = judge(loaded, { className, now, lastRevision: 0, disableSecondsDefault });
  for (const problem of verdict.problems) terminal.print(formatProblem(problem));
  for (const request of requests) {
    for (const line of ['', ...explain(request, verdict, now)]) terminal.print(line);
  }
  if (requests.length > 0) terminal.print('');
  terminal.print(summarise(loaded.origins.size, loaded.files.length, verdict.problems));
  if (loaded.unreadable.length > 0) return 2;
  return hasErrors(verdict.problems) ? 1 : 0;
}

function summarise(objects: number, files: number, problems: readonly FileProblem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  const found = [
    ...(errors > 0 ? [counted(errors, 'error')] : ['all accepted']),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ];
  return `${counted(objects, 'object')} in ${counted(files, 'file')}: ${found.join(', ')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
