// The figures as Markdown.

import { table } from '../table.ts';
import type { ChangeKind } from './changes.ts';
import { bytes, duration, percentile, spreadCells } from './figures.ts';
import type { LoadResult } from './load.ts';
import type { HotSpot } from './profile.ts';
import type { Propagated, PropagationResult } from './propagation.ts';
import type { ScaleResult } from './scale.ts';

type Counts = ReadonlyMap<string, number>;

const kinds: readonly ChangeKind[] = [
  'route',
  'provider',
  'upstream key',
  'client key',
  'Secret of an upstream key',
  'Secret of a client key',
  'malformed',
  'mended',
];

/** The report of `measurePropagation`. */
export function reportPropagation(result: PropagationResult): string {
  const { changes, problems, quiet, during } = result;
  const rows = [
    ['all', changes] as const,
    ...kinds.map((kind) => [kind, changes.filter((change) => change.kind === kind)] as const),
  ].map(([name, some]) => propagationRow(name, some));
  const heads = ['published', 'all three proxies', 'all three, from the answer on', 'status'];
  return [
    '## Propagation',
    '',
    'Milliseconds from the moment the PATCH is sent, p50 / p90 / p99 / max: until the index names a revision with the change,',
    'until the last of the three proxies serves it, until the status of the object says so.',
    '',
    table([['change', 'count', ...heads], ...rows]),
    '',
    `Did not arrive, or was not so when asked: ${problems.length}${problems.map((problem) => `\n- ${problem}`).join('')}`,
    '',
    'Requests through the three proxies meanwhile; times of those that are no streams, in milliseconds:',
    '',
    loadTable(quiet, during),
    '',
    costs(result, changes.length),
  ].join('\n');
}

function propagationRow(name: string, changes: readonly Propagated[]): readonly string[] {
  const stated = changes.flatMap((change) => change.stated ?? []);
  const columns = [
    changes.map(({ published }) => published),
    changes.map(({ served }) => served),
    changes.map(({ served, answered }) => served - answered),
    stated,
  ];
  return [name, String(changes.length), ...columns.map((figures) => spreadCells(figures).join(' / '))];
}

function loadTable(before: LoadResult, during: LoadResult): string {
  const rows = table([
    ['', 'requests', 'of them streams', 'failed', 'per second', 'p50', 'p99', 'max'],
    loadRow('before the changes', before),
    loadRow('during the changes', during),
  ]);
  return [rows, ...[...before.failures, ...during.failures].map((failure) => `- ${failure}`)].join('\n');
}

function loadRow(
  name: string,
  { done, streams, failed, seconds, times: { p50, p99, max } }: LoadResult,
): readonly string[] {
  const figures = [p50, p99, max].map((ms) => ms.toFixed(1));
  return [name, String(done), String(streams), String(failed), (done / seconds).toFixed(0), ...figures];
}

function costs({ requests, runs, seconds, cpu }: PropagationResult, changes: number): string {
  return [
    `Of ${seconds.toFixed(0)} s, CPU of one core: ${shares(cpu, seconds)}. Runs of the configuration controller: ${runs.runs}, ` +
      `${(runs.ms / runs.runs).toFixed(1)} ms each. Requests to the API server by change:`,
    '',
    requestTable([['a change', requests, changes]]),
  ].join('\n');
}

function shares(cpu: Counts, seconds: number): string {
  return [...cpu].map(([name, used]) => `${name} ${((used * 100) / seconds).toFixed(0)} %`).join(', ');
}

/** A row for each part of the measurement, a column for each kind of request. */
function requestTable(rows: readonly (readonly [string, Counts, number])[]): string {
  const heads = [...new Set(rows.flatMap(([, counts]) => [...counts.keys()]))].sort();
  const cell = (count: number, units: number): string =>
    units === 1 ? String(count) : (count / units).toFixed(count === 0 ? 0 : 2);
  return table([
    ['requests', ...heads],
    ...rows.map(([name, counts, units]) => [name, ...heads.map((head) => cell(counts.get(head) ?? 0, units))]),
  ]);
}

/** The report of `measureScale`. */
export function reportScale(result: ScaleResult): string {
  const { size, createdSeconds, start, perChange, changes, idle, restart } = result;
  return [
    '## Scale',
    '',
    `${size.routes} routes, ${size.providers} providers, ${size.clientKeys + size.providers} keys with as many Secrets, ` +
      `in ${size.teams} namespaces; made in ${createdSeconds.toFixed(0)} s before the operator started.`,
    '',
    startTable(result),
    '',
    changeTable(changes),
    '',
    `A change: the configuration controller ran ${(perChange.runs.runs / changes.length).toFixed(1)} times for ` +
      `${(perChange.runs.ms / perChange.runs.runs).toFixed(0)} ms each (gather, compile, pack, publish); the status controller ` +
      `${(perChange.statusRuns.runs / changes.length).toFixed(0)} times.`,
    '',
    requestTable([
      ['start', start.requests, 1],
      ['a change', perChange.requests, changes.length],
      [`${idle.seconds} s without changes`, idle.requests, 1],
      ['restart', restart.requests, 1],
    ]),
    '',
    cpuTable(result),
    '',
    burstText(result),
    '',
    sizes(result),
  ].join('\n');
}

function startTable({ start, restart }: ScaleResult): string {
  const { allRead, published, served, stated } = start;
  return table([
    ['since the start of the operator’s process', 'first start', 'restart'],
    ['everything read', duration(allRead), duration(restart.allRead)],
    ['published', duration(published), restart.republished ? 'published again' : 'nothing to publish'],
    ['first proxy serves', duration(Math.min(...served)), ''],
    ['all three proxies serve', duration(Math.max(...served)), ''],
    ['all statuses say Ready', duration(stated), ''],
  ]);
}

function changeTable(changes: ScaleResult['changes']): string {
  const row = (name: string, figures: readonly number[]): readonly string[] => [name, ...spreadCells(figures)];
  return table([
    [`one route of all is changed, ${changes.length} times, ms`, 'p50', 'p90', 'p99', 'max'],
    row(
      'published',
      changes.map(({ published }) => published),
    ),
    row(
      'all three proxies',
      changes.map(({ served }) => served),
    ),
    row(
      'status',
      changes.map(({ stated }) => stated),
    ),
  ]);
}

function cpuTable({ start, perChange, changes, idle, restart, memory }: ScaleResult): string {
  const seconds = (figure = Number.NaN): string => (Number.isNaN(figure) ? '' : figure.toFixed(2));
  const rows = [...memory].map(([name, { heap, resident, peak }]) => [
    name,
    seconds(start.cpu.get(name)),
    seconds((perChange.cpu.get(name) ?? 0) / changes.length),
    seconds(((idle.cpu.get(name) ?? 0) * 60) / idle.seconds),
    seconds(name === 'operator' ? restart.cpu.get('operator-restarted') : undefined),
    bytes(heap),
    bytes(resident),
    bytes(peak),
  ]);
  const heads = ['start', 'a change', 'a minute without changes', 'restart'].map((head) => `CPU s: ${head}`);
  return table([['process', ...heads, 'heap in use', 'RSS', 'most RSS'], ...rows]);
}

function burstText({ burst: { changes, perSecond, revisions, lastServed, before, during } }: ScaleResult): string {
  return [
    `${changes} changes, ${perSecond} a second, none of which waits for the one before: ${revisions} revisions; the last change was on all ` +
      `three proxies after ${lastServed} ms. Requests through the proxies (no streams), in milliseconds:`,
    '',
    loadTable(before, during),
  ].join('\n');
}

function sizes({ published }: ScaleResult): string {
  const { configMaps, configMapBytes, configBytes, encoding, secretBytes, secretEntries } = published;
  return table([
    ['published', ''],
    ['configuration as JSON', bytes(configBytes)],
    ['encoding', encoding],
    ['ConfigMaps', String(configMaps)],
    ['bytes in them', bytes(configMapBytes)],
    ['entries of the Secret', String(secretEntries)],
    ['bytes in it', bytes(secretBytes)],
  ]);
}

/** Where the time went, by what functions took themselves and by what they took with those that they called. */
export function reportHotSpots(title: string, spots: readonly HotSpot[]): string {
  const rows = (by: 'self' | 'total', some: readonly HotSpot[]): readonly (readonly string[])[] =>
    [...some]
      .sort((a, b) => b[by] - a[by])
      .slice(0, 30)
      .map(({ where, self, total }) => [where, self.toFixed(0), total.toFixed(0)]);
  const heads = ['function', 'self ms', 'total ms'];
  const own = spots.filter(({ where }) => /^\S+ (operator|proxy|crds|deploy)\//.test(where));
  return [`### ${title}`, '', table([heads, ...rows('self', spots)]), '', table([heads, ...rows('total', own)])].join(
    '\n',
  );
}

/** What the goals of the design ask for. */
export function reportGoals({ changes, during, problems }: PropagationResult): string {
  const served = changes.map((change) => change.served);
  const malformed = changes.filter(({ kind }) => kind === 'malformed').length;
  return table([
    ['goal (V19)', 'wanted', 'measured'],
    ['apply → all three proxies, p50', '–', `${percentile(served, 0.5).toFixed(0)} ms`],
    ['apply → all three proxies, p99', '≤ 500 ms', `${percentile(served, 0.99).toFixed(0)} ms`],
    [
      'changes; malformed among them',
      '1000; 5 %',
      `${changes.length}; ${((malformed * 100) / changes.length).toFixed(1)} %`,
    ],
    ['failed requests meanwhile', '0', `${during.failed} of ${during.done}`],
    ['changes lost, and proxies that did otherwise than they said', '0', String(problems.length)],
  ]);
}
