// Two connections to Redis, one for commands and one for news, with the client library's patience taken away: nothing is
// queued while there is no connection, nothing is sent twice. Must not know what the commands mean or who is waiting.

import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Clock } from '../canonical/clock.ts';
import type { RedisScript } from './redis-scripts.ts';
import type { RedisAddress } from './redis-url.ts';
import { hearOfFailovers, isElsewhere } from './sentinel-news.ts';

/** A script with what it is to work on. */
export interface RedisCommand {
  readonly script: RedisScript;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** What happens on the connections. */
export interface RedisEvents {
  readonly onReady: () => void;
  /** The command connection is gone, or could not be made; it is being made anew. */
  readonly onClosed: (detail: string) => void;
  readonly onSubscribed: () => void;
  readonly onMessage: (message: string) => void;
}

/** Both connections. */
export interface RedisConnection {
  connect(): void;
  /** Rejects at once while there is no connection. Has no deadline of its own. */
  call(command: RedisCommand): Promise<unknown>;
  /** For a server that turned out to be a replica: connects anew, perhaps to another; at most once a second. */
  reconnect(why: string): void;
  /** To be called every second: subscribes if that has failed, and notices a dead subscription. */
  tendSubscription(): void;
  close(): void;
}

/** What the connections are made of. */
export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  readonly channel: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: RedisEvents;
}

/** A server in the same data centre answers in milliseconds: one that has not accepted by then is not there. */
const connectTimeoutMs = 1000;
/** Something is asked every second; a socket silent for longer is dead, even if TCP has not noticed. */
const socketTimeoutMs = 3000;
/** Delays between attempts double from here; never more than a second, so that a return is noticed within two. */
const backoffMinMs = 50;
const backoffMaxMs = 1000;
const reconnectGapMs = 1000;
/** What there is to say of a connection that ended without an error. */
const closed = 'connection closed';

/** Makes the connections; nothing happens before `connect`. */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  return new TwoConnections(options);
}

class TwoConnections implements RedisConnection {
  readonly #commands: Redis | Cluster;
  /** A cluster client keeps a connection for news by itself. */
  readonly #subscription: Redis | Cluster;
  /** They tell of failovers; empty where there are none. */
  readonly #sentinels: readonly Redis[];
  readonly #channel: string;
  readonly #clock: Clock;
  readonly #events: RedisEvents;
  #isSubscribed = false;
  #reconnectedMs = -Infinity;
  #lastError = closed;
  #isClosed = false;

  constructor({ address, channel, clock, random, events }: RedisConnectionOptions) {
    this.#channel = channel;
    this.#clock = clock;
    this.#events = events;
    this.#commands = createClient(address, random);
    this.#subscription = this.#commands instanceof Cluster ? this.#commands : createClient(address, random);
    this.#sentinels = createSentinels(address, random);
    this.#listen(address);
  }

  connect(): void {
    for (const client of this.#clients()) client.connect().catch(ignore);
    for (const sentinel of this.#sentinels) sentinel.connect().catch(ignore);
  }

  async call({ script, keys, args }: RedisCommand): Promise<unknown> {
    try {
      return await this.#commands.evalsha(script.digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
      return this.#commands.eval(script.lua, keys.length, ...keys, ...args);
    }
  }

  reconnect(why: string): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#reconnectedMs < reconnectGapMs) return;
    this.#reconnectedMs = nowMs;
    this.#lastError = why;
    for (const client of this.#clients()) client.disconnect(true);
  }

  tendSubscription(): void {
    if (this.#subscription.status !== 'ready') return;
    if (!this.#isSubscribed) this.#subscribe();
    // An answer is not needed: without one the socket's timeout ends the connection.
    else if (this.#subscription instanceof Redis) this.#subscription.ping().catch(ignore);
  }

  close(): void {
    this.#isClosed = true;
    for (const client of [...this.#clients(), ...this.#sentinels]) client.disconnect();
  }

  #clients(): ReadonlySet<Redis | Cluster> {
    return new Set([this.#commands, this.#subscription]);
  }

  #listen({ master }: RedisAddress): void {
    const commands = this.#commands;
    const subscription = this.#subscription;
    commands.on('ready', () => {
      this.#lastError = closed;
      this.#events.onReady();
    });
    commands.on('close', () => this.#events.onClosed(this.#lastError));
    commands.on('error', (error) => {
      this.#lastError = messageOf(error);
    });
    // A listener must be there, or the library prints every error.
    if (subscription !== commands) subscription.on('error', ignore);
    for (const client of this.#clients()) client.on('end', () => this.#revive(client));
    hearOfFailovers(this.#sentinels, master, (to) => {
      for (const client of this.#clients()) {
        if (client instanceof Redis && isElsewhere(client, to)) client.disconnect(true);
      }
    });
    subscription.on('ready', () => this.#subscribe());
    subscription.on('close', () => {
      this.#isSubscribed = false;
    });
    subscription.on('message', (channel: string, message: string) => {
      if (channel === this.#channel) this.#events.onMessage(message);
    });
  }

  /**
   * The library gives a client up for good that is told to connect anew while it is still asking a sentinel where.
   */
  #revive(client: Redis | Cluster): void {
    this.#clock.setTimer(backoffMinMs, () => {
      if (!this.#isClosed) client.connect().catch(ignore);
    });
  }

  #subscribe(): void {
    this.#subscription.subscribe(this.#channel).then(() => {
      this.#isSubscribed = true;
      this.#events.onSubscribed();
    }, ignore);
  }
}

/** Left out: an option that changes the types of the client's answers. */
type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

function backoffBy(random: () => number): (times: number) => number {
  return (times) => Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(times - 1, 10)) * (0.5 + random() / 2);
}

function createClient(address: RedisAddress, random: () => number): Redis | Cluster {
  const backoff = backoffBy(random);
  const options = toOptions(address, backoff);
  const [first] = address.nodes;
  switch (address.type) {
    case 'single':
      return new Redis({ ...options, host: first.host, port: first.port });
    case 'sentinel':
      return new Redis({ ...options, ...toSentinelOptions(address, backoff) });
    case 'cluster':
      return new Cluster([...address.nodes], {
        lazyConnect: true,
        enableOfflineQueue: false,
        // Names are kept for the certificates of the nodes.
        dnsLookup: (name, found) => found(null, name),
        clusterRetryStrategy: backoff,
        redisOptions: options,
      });
  }
}

/** A client for each sentinel. */
function createSentinels(address: RedisAddress, random: () => number): readonly Redis[] {
  if (address.type !== 'sentinel') return [];
  const { nodes, tls, sentinelUsername: username, sentinelPassword: password } = address;
  const options = toOptions({ tls, username, password, database: 0 }, backoffBy(random));
  return nodes.map(({ host, port }) => new Redis({ ...options, host, port }));
}

function toOptions(
  { tls, username, password, database }: Pick<RedisAddress, 'tls' | 'username' | 'password' | 'database'>,
  backoff: (times: number) => number,
): ClientOptions {
  return {
    lazyConnect: true,
    // RESP3 has nothing that is needed here, and not every server that speaks Redis speaks it.
    protocol: 2,
    connectionName: 'sluice',
    disableClientInfo: true,
    // The library's check asks for INFO, which a careful ACL forbids; a server that is still loading says so by itself.
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Done by hand: the library leaves a refused one as an unhandled rejection.
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectTimeoutMs,
    socketTimeout: socketTimeoutMs,
    disconnectTimeout: 500,
    retryStrategy: backoff,
    db: database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}

function toSentinelOptions(address: RedisAddress, backoff: (times: number) => number): ClientOptions {
  const { nodes, master, tls, sentinelUsername, sentinelPassword } = address;
  return {
    sentinels: [...nodes],
    name: master,
    sentinelCommandTimeout: connectTimeoutMs,
    sentinelRetryStrategy: backoff,
    enableTLSForSentinelMode: tls,
    ...(tls ? { sentinelTLS: {} } : {}),
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  };
}

/** What went wrong, for people: short, and without the command, whose arguments may hold a password. */
export function messageOf(error: unknown): string {
  // What the library says of a command whose connection ended speaks of its own options.
  if (error instanceof Error && error.name === 'MaxRetriesPerRequestError') return closed;
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}

function ignore(): void {}
