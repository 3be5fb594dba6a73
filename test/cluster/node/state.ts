// What is written down about a node, so that another process finds it, uses it and takes it down.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlaneFacts } from '../client.ts';
import { type Holder, isHeld } from './namespaces.ts';
import { filesOf, type NodePlace, placeOf, stateFolder } from './place.ts';

/** A cluster that is up, for whoever uses it: `cluster.json`. */
export interface ClusterFacts extends ControlPlaneFacts {
  readonly name: string;
  /** The same as adminKubeconfig, by the name that everybody looks for. */
  readonly kubeconfig: string;
  /** Path of helm. */
  readonly helm: string;
  /** References of images on it; absent where they were not asked for. */
  readonly images?: { readonly sluice: string; readonly redis: string };
  /** Of the node; the API server and ports of the host are there. */
  readonly nodeAddress: string;
  /** Of this machine, for pods that call it. */
  readonly hostAddress: string;
  readonly dnsAddress: string;
  /** A folder with a log of each server. */
  readonly logs: string;
  /** Likewise for pods: NAMESPACE_POD_UID/CONTAINER/N.log. */
  readonly podLogs: string;
  readonly holder: Holder;
}

/** What is known from the first moment on: `node.json`. */
interface NodeRecord {
  readonly number: number;
  /** Process that is bringing it up, and when it began: numbers are used again. */
  readonly starter: number;
  readonly starterSince: string;
  readonly holder?: Holder;
}

/** How a node stands. */
export type NodeStatus =
  | { readonly is: 'absent' }
  | { readonly is: 'up'; readonly facts: ClusterFacts }
  | { readonly is: 'starting'; readonly by: number }
  /** Something is left of one. */
  | { readonly is: 'left'; readonly place: NodePlace; readonly holder?: Holder };

/** Looks at what is there. */
export function statusOf(name: string): NodeStatus {
  const files = filesOf(placeOf(name, 0));
  const record = readJson<NodeRecord>(recordOf(name));
  const { holder, starter = 0, starterSince, number = 0 } = record ?? {};
  const facts = readJson<ClusterFacts>(files.facts);
  if (facts !== undefined && holder !== undefined && isHeld(holder)) return { is: 'up', facts };
  const isStarting = facts === undefined && record !== undefined && beginOf(starter) === starterSince;
  if (isStarting && starter !== process.pid) return { is: 'starting', by: starter };
  if (!existsSync(join(stateFolder, name))) return { is: 'absent' };
  return { is: 'left', place: placeOf(name, number), ...(holder === undefined ? {} : { holder }) };
}

/** Writes down that this process brings it up, or how far it has come. */
export function recordNode({ name, number }: NodePlace, holder?: Holder): void {
  mkdirSync(join(stateFolder, name), { recursive: true, mode: 0o711 });
  const starter = { starter: process.pid, starterSince: beginOf(process.pid) ?? '' };
  const record: NodeRecord = { number, ...starter, ...(holder === undefined ? {} : { holder }) };
  writeFileSync(recordOf(name), JSON.stringify(record));
}

/** Writes down that it is up. */
export function recordFacts(facts: ClusterFacts): void {
  writeFileSync(join(facts.folder, 'cluster.json'), `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 });
}

/** The numbers of all nodes that something is written down about. */
export function recordedNumbers(): readonly number[] {
  if (!existsSync(stateFolder)) return [];
  const records = readdirSync(stateFolder).map((name) => readJson<NodeRecord>(recordOf(name)));
  return records.flatMap((record) => (record === undefined ? [] : [record.number]));
}

/** When a process began, in ticks of the kernel; undefined if there is none. */
function beginOf(pid: number): string | undefined {
  try {
    // Behind the name, which may hold anything, this is the 20th.
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) (?=\S )/);
    return rest.split(' ')[19];
  } catch {
    return undefined;
  }
}

function recordOf(name: string): string {
  return join(stateFolder, name, 'node.json');
}

function readJson<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}
