// Each example values file renders what is committed for it. UPDATE_GOLDEN=1 writes that anew; read the difference.

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { exampleNames, exampleRelease } from './example-values.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const { helm, describe } = requiresChartPrograms();
const folder = join(import.meta.dirname, 'golden');

describe('the chart', () => {
  test.for(exampleNames)('renders ci/%s.yaml as its golden file says', async (name) => {
    const text = settle(await helm.template(exampleRelease(name)));
    const golden = join(folder, `${name}.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test('has an example for every golden file', () => {
    const golden = globSync(join(folder, '*.yaml')).map((path) => basename(path, '.yaml'));
    expect(golden.toSorted()).toEqual(exampleNames);
  });
});

/** Without what is generated and tested by itself (definitions, dashboards), and what is made at random. */
function settle(text: string): string {
  const documents = text.split(/^---\n/m).filter((document) => !/^# Source: .*\/(crds|dashboards)/m.test(document));
  return documents
    .join('---\n')
    .replaceAll(/^(  (?:token|password): )[A-Za-z0-9+/]{54}==$/gm, '$1(made at random)')
    .replaceAll(/ +$/gm, '');
}
