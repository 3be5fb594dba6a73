// Values: each documented, each in the schema, and nothing taken that is neither.

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ChartName, chartFolder } from './helm.ts';
import { exampleNames, exampleSentence } from './example-values.ts';
import { refusals } from './refused-values.ts';
import { requiresChartPrograms } from './requires-charts.ts';
import { documentedValues, leafPaths, toTable } from './values-table.ts';

const programs = requiresChartPrograms();
const chartNames: readonly ChartName[] = ['sluice', 'sluice-crds'];

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}

function readSchema(chart: ChartName): Schema {
  return JSON.parse(readFileSync(join(chartFolder(chart), 'values.schema.json'), 'utf8'));
}

/** What the API server judges, and what is not ours at all. */
const openOnPurpose = ['/definitions/affinity', '/properties/global'];

describe.each(chartNames)('values of %s', (chart) => {
  const schema = readSchema(chart);

  test('have a comment each', () => {
    expect(leafPaths(chart)).toEqual(documentedValues(chart).map(({ path }) => path));
    for (const { path, meaning } of documentedValues(chart)) expect(meaning, path).toMatch(/^.{6,}[.)]$/);
  });

  test('are each used by some template', () => {
    const folder = join(chartFolder(chart), 'templates');
    const templates = globSync(join(folder, '**/*.{yaml,tpl,txt}')).map((path) => readFileSync(path, 'utf8'));
    const text = templates.join('\n');
    const unused = leafPaths(chart).filter((path) => {
      // What is passed on as a whole is used with all that is in it.
      const isPassedOn = path.includes('.resources.') || path === 'global';
      return !isPassedOn && !new RegExp(String.raw`[."]${path.split('.').at(-1)}\b`).test(text);
    });
    expect(unused).toEqual([]);
  });

  test('are in the README, with defaults and comments', () => {
    const file = join(chartFolder(chart), 'README.md');
    const [before, , after] = readFileSync(file, 'utf8').split(/<!-- values -->|<!-- \/values -->/);
    const expected = `${before}<!-- values -->\n${toTable(documentedValues(chart))}\n<!-- /values -->${after}`;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, expected);
    expect(readFileSync(file, 'utf8')).toBe(expected);
  });

  test('are in the schema, and it has no others', () => {
    const inSchema = (part: Schema, path: string, ends: ReadonlySet<string>): readonly string[] => {
      const { properties } = resolve(part, schema);
      if (properties === undefined || ends.has(path)) return [path];
      return Object.entries(properties).flatMap(([key, member]) =>
        inSchema(member, path === '' ? key : `${path}.${key}`, ends),
      );
    };
    const leaves = new Set(leafPaths(chart));
    const found = inSchema(schema, '', leaves).filter((path) => !/resources\..*(cpu|memory|ephemeral)/.test(path));
    const known = [...leaves].filter((path) => !/resources\..*(cpu|memory|ephemeral)/.test(path));
    expect(found.toSorted()).toEqual(known.toSorted());
  });

  test('may be nothing but what the schema names, at every level', () => {
    const loose: string[] = [];
    const walk = (part: unknown, path: string): void => {
      if (typeof part !== 'object' || part === null) return;
      const { type, properties, additionalProperties, $ref, enum: members, anyOf } = part as Schema;
      const isSchema = /(properties|definitions)\/[^/]+$|items$|additionalProperties$|anyOf\/\d+$|^$/.test(path);
      if (isSchema && !openOnPurpose.includes(path)) {
        const isClosed = additionalProperties !== undefined && (additionalProperties === false || !properties);
        if ([type].flat().includes('object') && !isClosed) loose.push(`${path} takes any member`);
        if (type === undefined && $ref === undefined && members === undefined && anyOf === undefined) {
          loose.push(`${path} takes any type`);
        }
      }
      for (const [key, member] of Object.entries(part)) walk(member, `${path}/${key}`);
    };
    walk(schema, '');
    expect(loose).toEqual([]);
  });
});

test('examples are in the README, each with its first sentence', () => {
  const readme = readFileSync(join(chartFolder('sluice'), 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| \[ci\/(\S+)\.yaml\]\(ci\/\1\.yaml\) \| (.*) \|$/gm)];
  expect(rows.map(([, name, sentence]) => `${name}: ${sentence}`).toSorted()).toEqual(
    exampleNames.map((name) => `${name}: ${exampleSentence(name)}`),
  );
});

programs.describe('the chart refuses', () => {
  test.for(refusals)('$because', async ({ values, says }) => {
    await expect(programs.helm.template({ values })).rejects.toThrow(says);
  });

  test('nothing of a chart that has it as a part', async () => {
    await expect(programs.helm.template({ values: { global: { anything: { goes: 1 } } } })).resolves.toContain('kind');
  });
});

function resolve(part: Schema, root: Schema): Schema {
  const { $ref } = part;
  if ($ref === undefined) return part;
  const found = root.definitions?.[$ref.replace('#/definitions/', '')];
  if (found === undefined) throw new Error(`${$ref} leads nowhere`);
  return found;
}
