// A model of Redis: the scripts that the proxies run there, in TypeScript. redis-model.test.ts compares it with a real
// server, answer by answer.

import type { RedisCommand } from '../../../proxy/state/redis-connection.ts';
import { leaseScript, releaseScript } from '../../../proxy/state/redis-lease-scripts.ts';
import { clearScript, leaveScript, readScript, shareScript } from '../../../proxy/state/redis-scripts.ts';
import { foreverMs } from '../../../proxy/state/store.ts';
import { rememberMs } from '../../../proxy/state/target-record.ts';

/** What Redis says when it takes no writes. */
export const readOnlyError = "READONLY You can't write against a read only replica.";

const dayMs = 24 * 60 * 60 * 1000;
const keepMs = 30 * dayMs;
const renewMs = keepMs - dayMs;
const lateMs = 5000;

interface Record {
  readonly generation: string;
  /** Of a disable; a clear has a generation only. */
  readonly disable: { until: number; since: number; id: string; by: string; reason: string } | undefined;
  expiresMs: number;
}

/** The data of one server. */
export class RedisData {
  epoch = '';
  revision = 0;
  /** Records by name, in no order; and by the revision of their last change. */
  readonly records = new Map<string, Record>();
  readonly index = new Map<string, number>();
  readonly proxies = new Map<string, number>();
  /** Holders of leases, and when their time is over. */
  readonly leases = new Map<string, { readonly token: string; readonly expiresMs: number }>();

  /** A copy that has nothing in common with this one. */
  clone(): RedisData {
    const copy = new RedisData();
    copy.epoch = this.epoch;
    copy.revision = this.revision;
    for (const [name, record] of this.records) copy.records.set(name, { ...record });
    for (const [name, score] of this.index) copy.index.set(name, score);
    for (const [id, score] of this.proxies) copy.proxies.set(id, score);
    for (const [key, lease] of this.leases) copy.leases.set(key, lease);
    return copy;
  }

  /** The record, if it has not expired: in its last millisecond it has not. */
  find(name: string, nowMs: number): Record | undefined {
    const record = this.records.get(name);
    if (record === undefined || record.expiresMs >= nowMs) return record;
    this.records.delete(name);
    return undefined;
  }
}

/** One run of a script. */
export interface ScriptRun {
  readonly reply: unknown;
  /** What is announced on the channel. */
  readonly announces: string | undefined;
}

/** Runs a script at a whole millisecond of the server's clock. Throws what a server refuses as an Error. */
export function runScript(data: RedisData, command: RedisCommand, nowMs: number, readOnly: boolean): ScriptRun {
  switch (command.script.digest) {
    case readScript.digest:
      return { reply: read(data, command, nowMs, readOnly), announces: undefined };
    case shareScript.digest:
      return share(data, command, nowMs, readOnly);
    case clearScript.digest:
      return clear(data, command, nowMs, readOnly);
    case leaveScript.digest:
      if (readOnly) throw new Error(readOnlyError);
      return { reply: data.proxies.delete(command.args[0] ?? '') ? 1 : 0, announces: undefined };
    case leaseScript.digest:
      return { reply: lease(data, command, nowMs, readOnly), announces: undefined };
    case releaseScript.digest:
      return { reply: release(data, command, nowMs, readOnly), announces: undefined };
    default:
      throw new Error('the model knows no such script');
  }
}

function read(data: RedisData, { args }: RedisCommand, nowMs: number, readOnly: boolean): unknown {
  const [after = '0', limit = '0', proxyId = '', staleMs = '0'] = args;
  if (!readOnly) {
    data.proxies.set(proxyId, nowMs);
    for (const [id, beatMs] of data.proxies) if (beatMs <= nowMs - Number(staleMs)) data.proxies.delete(id);
    if (data.epoch === '') data.epoch = `${nowMs}:${proxyId}`;
  }
  const found = Number(after) >= data.revision ? [] : changedAfter(data, Number(after)).slice(0, Number(limit));
  const reply: string[] = [];
  for (const [name] of found) {
    const record = data.find(name, nowMs);
    if (record === undefined) {
      if (!readOnly) data.index.delete(name);
      continue;
    }
    const { generation, disable } = record;
    if (disable === undefined) {
      reply.push(name, generation, '', '', '', '', '');
      continue;
    }
    reply.push(name, generation, String(disable.until), String(disable.since), disable.id, disable.by, disable.reason);
    if (disable.until - nowMs > renewMs && !readOnly) record.expiresMs = Math.min(disable.until, nowMs + keepMs);
  }
  let living = 0;
  for (const beatMs of data.proxies.values()) if (beatMs >= nowMs - Number(staleMs)) living += 1;
  const last = found.at(-1)?.[1] ?? after;
  const head = [nowMs, data.epoch, data.revision, readOnly ? readOnlyError : '', living, last, found.length];
  return [...head.map(String), ...reply];
}

function changedAfter(data: RedisData, after: number): [string, number][] {
  return [...data.index].filter(([, revision]) => revision > after).sort(([, one], [, other]) => one - other);
}

function share(data: RedisData, { args }: RedisCommand, nowMs: number, readOnly: boolean): ScriptRun {
  const [name = '', remaining = '', age = '', generation = '', id = '', by = '', reason = '', , sent = ''] = args;
  const said = (outcome: string): ScriptRun => ({ reply: [String(nowMs), outcome], announces: undefined });
  const delayMs = Math.max(0, nowMs - Number(sent));
  if (delayMs > lateMs) return said('late');
  const target = name.slice(0, name.lastIndexOf(':'));
  const cleared = Number(data.find(`${target}:clear`, nowMs)?.generation ?? 0);
  if (Number(generation) < cleared) return said('void');
  const until = remaining === 'forever' ? foreverMs : nowMs + Number(remaining) - delayMs;
  if (until <= nowMs) return said('over');
  const held = data.find(name, nowMs);
  if (held?.disable !== undefined) {
    const isOlder = Number(held.generation) > Number(generation);
    const isLonger =
      Number(held.generation) === Number(generation) &&
      (held.disable.until > until || (held.disable.until === until && held.disable.id > id));
    if (held.disable.id === id || isOlder || isLonger) return said('known');
  }
  // A server that takes no writes says so at the first one.
  if (readOnly) throw new Error(readOnlyError);
  data.revision += 1;
  const since = nowMs - delayMs - Number(age);
  const expiresMs = Math.min(until, nowMs + keepMs);
  data.records.set(name, { generation, disable: { until, since, id, by, reason }, expiresMs });
  data.index.set(name, data.revision);
  return { reply: [String(nowMs), 'stored'], announces: String(data.revision) };
}

function clear(data: RedisData, { args }: RedisCommand, nowMs: number, readOnly: boolean): ScriptRun {
  const [generation = '0', name = '', ...kinds] = args;
  const said = (outcome: string): ScriptRun => ({ reply: [String(nowMs), outcome], announces: undefined });
  if (Number(generation) + rememberMs <= nowMs) return said('over');
  const held = data.find(name, nowMs);
  if (held !== undefined && Number(held.generation) >= Number(generation)) return said('known');
  // A server that takes no writes says so at the first one.
  if (readOnly) throw new Error(readOnlyError);
  data.revision += 1;
  for (const voided of kinds.slice(0, 2)) {
    const record = data.find(voided, nowMs);
    if (record === undefined || Number(record.generation) >= Number(generation)) continue;
    data.records.delete(voided);
    data.index.delete(voided);
  }
  data.records.set(name, { generation, disable: undefined, expiresMs: Number(generation) + rememberMs });
  data.index.set(name, data.revision);
  return { reply: [String(nowMs), 'stored'], announces: String(data.revision) };
}

function lease(data: RedisData, { keys, args }: RedisCommand, nowMs: number, readOnly: boolean): number {
  const [token = '', ttlMs = '0', sent = '0'] = args;
  const left = Number(ttlMs) - Math.max(0, nowMs - Number(sent));
  if (left < 1) return -1;
  for (const [index, key] of keys.entries()) {
    const holder = data.leases.get(key);
    if (holder !== undefined && holder.expiresMs >= nowMs && holder.token !== token) continue;
    if (readOnly) throw new Error(readOnlyError);
    data.leases.set(key, { token, expiresMs: nowMs + left });
    return index + 1;
  }
  return 0;
}

function release(data: RedisData, { keys, args }: RedisCommand, nowMs: number, readOnly: boolean): number {
  for (const [index, key] of keys.entries()) {
    const holder = data.leases.get(key);
    if (holder === undefined || holder.expiresMs < nowMs || holder.token !== args[index]) continue;
    if (readOnly) throw new Error(readOnlyError);
    data.leases.delete(key);
  }
  return 0;
}
