// The table of official clients and vendors, from the tests that say which place in it they have.

import type { Report } from './summary.ts';

/** What each letter of a cell stands for, in their order. */
const features = {
  chat: 'c',
  stream: 's',
  tools: 't',
  image: 'i',
  schema: 'j',
  reasoning: 'r',
  abort: 'a',
  error: 'e',
} as const;

const legend = [
  'c chat, s stream, t two parallel tools and a second turn, i image, j JSON schema, r reasoning, a abort, e error;',
  '· the vendor has no such thing, ! failed.',
];

/** The table, with a line behind it; nothing if no such test has run. */
export function matrixLines(report: Report | undefined): readonly string[] {
  const results = (report?.testResults ?? []).flatMap(({ assertionResults }) => assertionResults);
  const placed = results.flatMap(({ meta: { matrix }, status }) => {
    return matrix === undefined || (status !== 'passed' && status !== 'failed') ? [] : [{ ...matrix, status }];
  });
  if (placed.length === 0) return [];
  const clients = [...new Set(placed.map(({ client }) => client))];
  const vendors = [...new Set(placed.map(({ vendor }) => vendor))];
  const rows = vendors.map((vendor) => [
    vendor,
    ...clients.map((client) => cellOf(placed.filter((one) => one.client === client && one.vendor === vendor))),
  ]);
  const passed = placed.filter(({ status }) => status === 'passed').length;
  return [
    `Official clients and vendors: ${passed} of ${placed.length} passed.`,
    ...align([['', ...clients], ...rows]),
    ...legend,
    '',
  ];
}

function cellOf(placed: readonly { readonly feature: string; readonly status: string }[]): string {
  return Object.entries(features)
    .map(([feature, letter]) => {
      const statuses = placed.filter((one) => one.feature === feature).map(({ status }) => status);
      if (statuses.length === 0) return '·';
      return statuses.includes('failed') ? '!' : letter;
    })
    .join('');
}

function align(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
