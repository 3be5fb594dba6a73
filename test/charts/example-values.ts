// The example values files of the chart, each an installation that somebody could want.

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { chartFolder, monitoringKinds, type ReleaseOptions } from './helm.ts';

/** Their names, without the ending. */
export const exampleNames: readonly string[] = globSync(join(chartFolder('sluice'), 'ci/*.yaml'))
  .map((path) => basename(path, '.yaml'))
  .toSorted();

/** The path of one. */
export function examplePath(name: string): string {
  return join(chartFolder('sluice'), `ci/${name}.yaml`);
}

/** A release with one of them, in a cluster with the Prometheus Operator. */
export function exampleRelease(name: string): ReleaseOptions {
  return { valuesFiles: [examplePath(name)], apiVersions: monitoringKinds };
}

/** Its first comment: what it is an example of. */
export function exampleSentence(name: string): string {
  return /^# (.*)$/m.exec(readFileSync(examplePath(name), 'utf8'))?.[1] ?? '';
}
