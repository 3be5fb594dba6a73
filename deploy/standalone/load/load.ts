// From paths to resources, in one step.

import { listFiles } from './list-files.ts';
import type { FileProblem } from './problem.ts';
import { readFiles } from './read-files.ts';
import { readResources, type Resources } from './resources.ts';
import type { Environment } from './variables.ts';

/** What some paths hold. */
export interface Loaded extends Resources {
  readonly files: readonly string[];
  /** Paths that could not be read, or hold nothing at all: whatever else was found may be only half of what is meant. */
  readonly unreadable: readonly FileProblem[];
}

/** Lists, reads and parses. Never throws for what is in the file system. */
export async function load(paths: readonly string[], environment: Environment): Promise<Loaded> {
  const { files, problems: unlisted } = await listFiles(paths);
  const { texts, problems: unread } = await readFiles(files);
  const resources = readResources(texts, environment);
  const unreadable = [...unlisted, ...unread];
  if (unreadable.length === 0 && resources.origins.size === 0 && resources.problems.length === 0) {
    unreadable.push({ severity: 'error', file: paths.join(', '), field: '', message: 'holds no object' });
  }
  return { ...resources, files, unreadable };
}
