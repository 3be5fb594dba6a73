// Proxies that share a real Redis, as far as the state is concerned.

import type { Clock } from '../../../proxy/canonical/clock.ts';
import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import { createRedisStore } from '../../../proxy/state/redis-store.ts';
import type { DisableBook, StateStore } from '../../../proxy/state/store.ts';
import { systemClock } from '../../../proxy/system-clock.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

/** One proxy, and what its store wrote into the log. */
export interface RedisProxy {
  readonly store: StateStore;
  readonly book: DisableBook;
  readonly lines: readonly string[];
  readonly clock: Clock;
  /** Disables a target for a minute, or as long as is said. */
  readonly disable: (target: string, forMs?: number) => void;
}

/** How a proxy differs from others. */
export interface RedisProxyOptions {
  readonly url: string;
  readonly proxyId?: string;
  /** How far its clock is ahead. */
  readonly skewMs?: number;
  readonly replicas?: number;
}

let created = 0;

/** A real clock that is ahead of the machine's. */
export function skewedClock(skewMs: number): Clock {
  return {
    now: () => Date.now() + skewMs,
    setTimer: (delayMs, fire) => systemClock.setTimer(delayMs, fire),
  };
}

/** A proxy whose store has not been started. */
export function createProxy(options: RedisProxyOptions): RedisProxy {
  const { url, proxyId = `proxy-${++created}`, skewMs = 0, replicas } = options;
  const clock = skewedClock(skewMs);
  const lines: string[] = [];
  const keep = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { info: keep, warn: keep };
  const given = replicas === undefined ? {} : { replicas };
  const store = createRedisStore({ url, className: 'default', proxyId, clock, random: Math.random, log, ...given });
  const book = createDisableBook({ clock, store, proxyId, log });
  const disable = (target: string, forMs = 60_000): void => {
    book.disable(target, { untilMs: clock.now() + forMs, reason: 'ServerError', hard: false });
  };
  return { store, book, lines, clock, disable };
}

/** A proxy that has started. */
export async function joinFleet(options: RedisProxyOptions): Promise<RedisProxy> {
  const proxy = createProxy(options);
  await proxy.store.start(5000);
  return proxy;
}

/** Proxies that share a Redis of their own. */
export interface RedisFleet extends AsyncDisposable {
  readonly redis: TestRedis;
  /** A further proxy, whose store has not been started. */
  readonly create: (options?: Partial<RedisProxyOptions>) => RedisProxy;
  /** A further proxy that has joined the others; by another way than straight where a URL is given. */
  readonly join: (options?: Partial<RedisProxyOptions>) => Promise<RedisProxy>;
}

/** Starts a Redis; it and its proxies end with the test. */
export async function openFleet(redisServer: string): Promise<RedisFleet> {
  const redis = await startRedis(redisServer);
  const proxies: RedisProxy[] = [];
  const create = (options: Partial<RedisProxyOptions> = {}): RedisProxy => {
    const proxy = createProxy({ url: redis.url, ...options });
    proxies.push(proxy);
    return proxy;
  };
  return {
    redis,
    create,
    async join(options) {
      const proxy = create(options);
      await proxy.store.start(5000);
      return proxy;
    },
    async [Symbol.asyncDispose]() {
      redis.resume();
      await closeAll(proxies);
      await redis.stop();
    },
  };
}

/** Whether a proxy takes its Redis for gone. */
export function isDown({ store }: RedisProxy): boolean {
  return store.health().state === 'down';
}

/** Ends proxies. */
export async function closeAll(proxies: readonly { readonly store: StateStore }[]): Promise<void> {
  await Promise.all(proxies.map(({ store }) => store.close()));
}

/** Milliseconds until something is so; far longer is waited than it should ever take. */
export function timeUntil(isSo: () => boolean | Promise<boolean>): Promise<number> {
  return eventually(isSo, 25_000);
}

/** A figure that goes into the report of a run. */
export function report(what: string, figures: Readonly<Record<string, number>>): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  process.stdout.write(`  ${what}: ${text.join(', ')}\n`);
}

/** The value below which that share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
