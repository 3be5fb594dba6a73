// The table of values in the charts' README, made from the comments in values.yaml: `# -- what it means`, above the value.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type ChartName, chartFolder } from './helm.ts';

/** One value of a chart. */
export interface DocumentedValue {
  /** `proxy.service.port` */
  readonly path: string;
  readonly meaning: string;
  readonly fallback: unknown;
}

/** Every value that has a comment, in the order of the file. */
export function documentedValues(chart: ChartName): readonly DocumentedValue[] {
  const text = readFileSync(join(chartFolder(chart), 'values.yaml'), 'utf8');
  const values: unknown = parse(text);
  const found: DocumentedValue[] = [];
  let comment: string[] = [];
  const above: string[] = [];
  for (const line of text.split('\n')) {
    const [, words] = /^\s*# ?(.*)$/.exec(line) ?? [];
    if (words !== undefined) {
      comment.push(words);
      continue;
    }
    const [, indent = '', key] = /^( *)([A-Za-z][\w-]*):/.exec(line) ?? [];
    if (key !== undefined) {
      above.length = indent.length / 2;
      above.push(key);
      const meaning = comment.join(' ');
      const path = above.join('.');
      // What is below a value with a comment is the value itself.
      const isPart = found.some((value) => path.startsWith(`${value.path}.`));
      if (meaning.startsWith('-- ') && !isPart) {
        found.push({ path, meaning: meaning.slice(3), fallback: valueAt(values, path) });
      }
    }
    comment = [];
  }
  return found;
}

/** Every value that is no group of others, documented or not. */
export function leafPaths(chart: ChartName): readonly string[] {
  const documented = new Set(documentedValues(chart).map(({ path }) => path));
  const walk = (value: unknown, path: string): readonly string[] => {
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value) && !documented.has(path);
    if (!isGroup || Object.keys(value).length === 0) return [path];
    return Object.entries(value).flatMap(([key, member]) => walk(member, path === '' ? key : `${path}.${key}`));
  };
  return walk(parse(readFileSync(join(chartFolder(chart), 'values.yaml'), 'utf8')), '');
}

/** The table, as Markdown. */
export function toTable(values: readonly DocumentedValue[]): string {
  const rows = values.map(({ path, meaning, fallback }) => {
    const cell = JSON.stringify(fallback).replaceAll('|', '\\|');
    return `| \`${path}\` | \`${cell}\` | ${meaning.replaceAll('|', '\\|')} |`;
  });
  return ['| value | default | what it means |', '|---|---|---|', ...rows].join('\n');
}

function valueAt(values: unknown, path: string): unknown {
  return path.split('.').reduce((value: unknown, key) => Reflect.get(Object(value), key), values);
}
