// What goes to Redis and what comes back, as commands and pages of news. Whoever can write to Redis can write nonsense:
// nothing that is read there is believed before its form has been checked. No secret and no prompt ever enters a record.

import { failureClasses } from '../canonical/failure.ts';
import type { RedisCommand } from './redis-connection.ts';
import { fromRecordName, toRecordName, type RedisKeys } from './redis-keys.ts';
import { clearScript, readScript, shareScript } from './redis-scripts.ts';
import type { StoreClock } from './store-clock.ts';
import { foreverMs, type ClearEntry, type DisableEntry, type DisableReason, type SharedNews } from './store.ts';
import { rememberMs } from './target-record.ts';

/** One answer of the read script. */
export interface Page {
  readonly nowMs: number;
  /** Another one than before: Redis has lost its memory. */
  readonly epoch: string;
  readonly revision: number;
  /** Why Redis takes no writes; empty if it does. */
  readonly refused: string;
  readonly proxies: number;
  /** The last revision on this page: where the next one begins. */
  readonly last: string;
  /** Whether there may be a next page. */
  readonly isFull: boolean;
  readonly records: readonly RedisRecord[];
}

/** One record as it was read. */
export interface RedisRecord {
  readonly name: string;
  /** Names this state of the record: another disable, or another clear, has another one. */
  readonly id: string;
  readonly fields: readonly string[];
}

/** Records per answer: about 100 KB, and half a millisecond of Redis' time. */
export const pageRecords = 500;
/** A proxy that gave no sign of life for so long is gone: five beats, so that a pause for breath does not count. */
const proxyStaleMs = 5000;
/** Longer texts are not ours: a target has three Kubernetes names (253 each) and a model. */
const textMax = 1024;
const headFields = 7;
const recordFields = 7;
const reasons: ReadonlySet<string> = new Set([...failureClasses, 'Probe', 'Manual']);

/** Asks for signs of life and what changed after a revision ('0': everything). */
export function toReadCommand(keys: RedisKeys, { after, proxyId }: { after: string; proxyId: string }): RedisCommand {
  const args = [after, String(pageRecords), proxyId, String(proxyStaleMs), keys.recordPrefix];
  return { script: readScript, keys: [keys.log, keys.index, keys.proxies], args };
}

/** Tells of a disable or a clear; `nowMs` and `storeMs` are the same moment by this process's clock and the store's. */
export function toCommand(keys: RedisKeys, news: SharedNews, nowMs: number, storeMs: number): RedisCommand {
  return news.type === 'clear' ? toClearCommand(keys, news.clear) : toShareCommand(keys, news.entry, nowMs, storeMs);
}

/** Whether a target's records fit into Redis; what has a longer name is not shared. */
export function isShareable({ target }: { readonly target: string }): boolean {
  return target.length <= textMax;
}

/** Whether Redis need not be told, given the ids of the records that it has. */
export function isSeen(news: SharedNews, seen: ReadonlyMap<string, string>): boolean {
  const { target } = news.type === 'clear' ? news.clear : news.entry;
  if (!isShareable({ target })) return true;
  if (news.type === 'clear') return Number(seen.get(toRecordName(target, 'clear')) ?? 0) >= news.clear.generation;
  return seen.get(toRecordName(target, news.entry.hard ? 'hard' : 'soft')) === news.entry.id;
}

/** Only durations travel, so that nobody needs to know what this process's clock says. */
function toShareCommand(keys: RedisKeys, entry: DisableEntry, nowMs: number, storeMs: number): RedisCommand {
  const name = toRecordName(entry.target, entry.hard ? 'hard' : 'soft');
  const remaining = entry.untilMs === foreverMs ? 'forever' : String(entry.untilMs - nowMs);
  const age = String(Math.max(0, nowMs - entry.sinceMs));
  const sent = String(Math.floor(storeMs));
  const { generation, id, by, reason } = entry;
  return {
    script: shareScript,
    keys: [keys.record(name), keys.record(toRecordName(entry.target, 'clear')), keys.log, keys.index],
    args: [name, remaining, age, String(generation), id, by, reason, keys.channel, sent],
  };
}

function toClearCommand(keys: RedisKeys, { target, generation }: ClearEntry): RedisCommand {
  const names = (['clear', 'hard', 'soft'] as const).map((kind) => toRecordName(target, kind));
  return {
    script: clearScript,
    keys: [...names.map((name) => keys.record(name)), keys.log, keys.index],
    args: [String(generation), ...names, keys.channel],
  };
}

/** Reads an answer of the read script; throws if it is not one. */
export function toPage(reply: unknown): Page {
  if (!Array.isArray(reply) || reply.length < headFields) throw new Error('unreadable answer from Redis');
  const [now, epoch, revision, refused, proxies, last, count] = reply.map(String);
  const records: RedisRecord[] = [];
  for (let at = headFields; at + recordFields <= reply.length; at += recordFields) {
    const [name = '', ...fields] = reply.slice(at, at + recordFields).map(String);
    records.push({ name, id: fields[3] === '' ? (fields[0] ?? '') : (fields[3] ?? ''), fields });
  }
  return {
    nowMs: Number(now),
    epoch: epoch ?? '',
    revision: Number(revision),
    refused: refused ?? '',
    proxies: Number(proxies),
    last: last ?? '0',
    isFull: Number(count) >= pageRecords,
    records,
  };
}

/** The outcome of a share or a clear, and the store's time; undefined if the answer is not one. */
export function toOutcome(reply: unknown): { readonly nowMs: number; readonly outcome: string } | undefined {
  if (!Array.isArray(reply) || reply.length !== 2) return undefined;
  return { nowMs: Number(reply[0]), outcome: String(reply[1]) };
}

/** What a record says, or undefined if it says nothing that could be meant. */
export function toNews({ name, fields }: RedisRecord, clock: StoreClock): SharedNews | undefined {
  const parsed = fromRecordName(name);
  if (parsed === undefined || name.length > textMax + 8) return undefined;
  const { target, kind } = parsed;
  const generation = toWhole(fields[0]);
  // A generation from the far future would void every later disable.
  if (generation === undefined || generation > clock.now() + rememberMs) return undefined;
  if (kind === 'clear') return { type: 'clear', clear: { target, generation } };
  const untilMs = toWhole(fields[1]);
  const sinceMs = toWhole(fields[2]);
  const [id = '', by = '', reason = ''] = fields.slice(3);
  if (untilMs === undefined || sinceMs === undefined || !isReason(reason)) return undefined;
  if (id === '' || id.length > textMax || by.length > textMax) return undefined;
  const entry = { id, target, hard: kind === 'hard', reason, by, generation };
  return { type: 'disable', entry: { ...entry, sinceMs: clock.toLocal(sinceMs), untilMs: clock.toLocal(untilMs) } };
}

function toWhole(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

function isReason(text: string): text is DisableReason {
  return reasons.has(text);
}
