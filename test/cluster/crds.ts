// The generated definitions of the three kinds, as the chart installs them.

import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../crds/generated/', import.meta.url));

/** The three definitions, as YAML. */
export function crdManifests(): readonly string[] {
  return globSync(`${folder}*.yaml`)
    .toSorted()
    .map((path) => readFileSync(path, 'utf8'));
}
