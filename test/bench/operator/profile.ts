// Where the time went: functions of a CPU profile (node --cpu-prof), by the time that they took themselves and with all
// that they called, within one span of time.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Span } from './scale.ts';

/** One function. Times in milliseconds. */
export interface HotSpot {
  readonly where: string;
  readonly self: number;
  readonly total: number;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** Times in microseconds of the monotonic clock, which is that of process.hrtime. */
interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Functions of a profile within a span. */
export async function findHotSpots(file: string, { fromMicros, toMicros }: Span): Promise<readonly HotSpot[]> {
  const profile = JSON.parse(await readFile(file, 'utf8')) as Profile;
  const selfMicros = new Map<number, number>();
  let atMicros = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[index] ?? 0;
    atMicros += delta;
    if (atMicros >= fromMicros && atMicros <= toMicros) selfMicros.set(id, (selfMicros.get(id) ?? 0) + delta);
  }
  return addUp(profile.nodes, selfMicros);
}

function addUp(nodes: readonly ProfileNode[], selfMicros: ReadonlyMap<number, number>): readonly HotSpot[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const spots = new Map<string, { self: number; total: number }>();
  /** Returns the time of the whole subtree. A function that calls itself counts once. */
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const where = describe(node);
    const self = selfMicros.get(node.id) ?? 0;
    const below = new Set([...above, where]);
    let total = self;
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) total += visit(child, below);
    }
    const spot = spots.get(where) ?? { self: 0, total: 0 };
    spot.self += self / 1000;
    if (!above.has(where)) spot.total += total / 1000;
    spots.set(where, spot);
    return total;
  };
  const [first] = nodes;
  if (first !== undefined) visit(first, new Set());
  return [...spots].map(([where, times]) => ({ where, ...times }));
}

function describe({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.startsWith('file://') ? fileURLToPath(url).replace(root, '') : url;
  const place = file.replace(/^.*node_modules\//, '');
  return `${functionName || '(anonymous)'}${place === '' ? '' : ` ${place}:${lineNumber + 1}`}`;
}
