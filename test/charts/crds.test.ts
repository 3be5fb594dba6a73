// The definitions in the charts are those of crds/, and go or stay as values say.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { generateFiles, generateFolders } from '../../crds/generate.ts';
import { type ChartName, type Manifest, parseManifests } from './helm.ts';
import { requiresChartPrograms } from './requires-charts.ts';

const programs = requiresChartPrograms();
const root = new URL('../../', import.meta.url);

describe.each(generateFolders())('$path', ({ path, files }) => {
  test('has what is generated, and nothing else', () => {
    const yaml = readdirSync(new URL(path, root)).filter((name) => name.endsWith('.yaml'));
    expect(yaml.toSorted()).toEqual(files.map(({ name }) => name).toSorted());
    for (const { name, text } of files) {
      expect(readFileSync(new URL(path + name, root), 'utf8'), `${path}${name}: run "npm run generate"`).toBe(text);
    }
  });
});

const byName = (one: Manifest, other: Manifest): number => one.metadata.name.localeCompare(other.metadata.name);
const generated = generateFiles()
  .flatMap(({ text }) => parseManifests(text))
  .toSorted(byName);
const isDefinition = ({ kind }: Manifest): boolean => kind === 'CustomResourceDefinition';

async function definitionsOf(chart: ChartName, values: object): Promise<readonly Manifest[]> {
  const definitions = (await programs.helm.render({ chart, values })).filter(isDefinition);
  return definitions.toSorted(byName);
}

function withoutAnnotations(definitions: readonly Manifest[]): readonly object[] {
  return definitions.map(({ metadata: { name, labels }, ...rest }) => ({ ...rest, metadata: { name, labels } }));
}

programs.describe('definitions', () => {
  test.for(['sluice', 'sluice-crds'] as const)('of %s are those that are generated, and are kept', async (chart) => {
    const rendered = await definitionsOf(chart, {});
    expect(rendered).toEqual(generated);
    for (const { metadata } of rendered) expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  });

  test.for([
    ['sluice', { crds: { keep: false } }],
    ['sluice-crds', { keep: false }],
  ] as const)('of %s go with the release where keep is off', async ([chart, values]) => {
    const rendered = await definitionsOf(chart, values);
    expect(rendered).toEqual(withoutAnnotations(generated));
  });

  test('are left to others where that is asked for', async () => {
    expect(await definitionsOf('sluice', { crds: { enabled: false } })).toEqual([]);
  });
});
