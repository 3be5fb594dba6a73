// Redis as a simulation has it: a master and its replica, which die, freeze, lose their memory, fall apart and change
// places; and a proxy's connections to them, on which messages are late, lost, doubled and overtaken.

import type { RedisCommand, RedisConnection, RedisConnectionOptions } from '../../../proxy/state/redis-connection.ts';
import { RedisData, runScript } from './redis-model.ts';
import type { Chance, VirtualTime } from './virtual-time.ts';

/** What a proxy's process does with what reaches it: nothing once it is dead, later while it stands still. */
export type Gate = (fire: () => void) => void;

interface Write {
  readonly atMs: number;
  readonly command: RedisCommand;
}

/** One server. */
class RedisServer {
  readonly name: string;
  data = new RedisData();
  isUp = true;
  readOnly = false;
  frozenUntilMs = 0;
  readonly connections = new Set<SimulatedConnection>();

  constructor(name: string) {
    this.name = name;
  }
}

/** Master and replica, and who is which. */
export class RedisPlace {
  readonly time: VirtualTime;
  readonly chance: Chance;
  /** Chances of what happens to an announcement, and how long any message is under way. */
  dropShare = 0;
  doubleShare = 0;
  latencyMs: readonly [number, number] = [0.2, 3];
  master = new RedisServer('one');
  #replica = new RedisServer('two');
  /** What the replica has not got yet. */
  #behind: Write[] = [];
  #skewMs = 0;

  constructor(time: VirtualTime, chance: Chance) {
    this.time = time;
    this.chance = chance;
    this.#skewMs = Math.floor(chance.between(-60_000, 60_000));
  }

  /** By the clock of the servers. */
  nowMs(): number {
    return Math.floor(this.time.nowMs) + this.#skewMs;
  }

  delay(): number {
    return this.chance.between(...this.latencyMs);
  }

  kill(): void {
    this.master.isUp = false;
    for (const connection of this.master.connections) connection.broken('ECONNRESET');
  }

  /** The master is back, with its memory or without. */
  revive(empty: boolean): void {
    if (empty) this.master.data = new RedisData();
    this.master.isUp = true;
  }

  freeze(forMs: number): void {
    this.master.frozenUntilMs = Math.max(this.master.frozenUntilMs, this.time.nowMs + forMs);
  }

  setReadOnly(readOnly: boolean): void {
    this.master.readOnly = readOnly;
  }

  /**
   * The replica takes over as it is. Proxies that were connected to the old master stay there for some time, and what
   * they write is lost when it becomes the replica.
   */
  failOver(lagMs: number, splitMs: number): void {
    const old = this.master;
    const next = this.#replica;
    for (const { atMs, command } of this.#behind) {
      if (atMs <= this.time.nowMs - lagMs) runScript(next.data, command, atMs + this.#skewMs, false);
    }
    this.#behind = [];
    next.isUp = true;
    next.readOnly = false;
    next.frozenUntilMs = 0;
    this.master = next;
    this.#replica = old;
    const rejoin = (): void => {
      if (this.#replica !== old) return;
      old.data = this.master.data.clone();
      old.readOnly = true;
      old.isUp = true;
    };
    this.time.after(splitMs, rejoin);
  }

  /** Runs a command where it arrived; throws what the server refuses. */
  run(server: RedisServer, command: RedisCommand): unknown {
    const { reply, announces } = runScript(server.data, command, this.nowMs(), server.readOnly);
    if (server === this.master) this.#behind.push({ atMs: Math.floor(this.time.nowMs), command });
    if (this.#behind.length > 64) this.#replicate();
    if (announces !== undefined) for (const connection of server.connections) connection.announce(announces);
    return reply;
  }

  /** The replica is never further behind than the oldest that is kept. */
  #replicate(): void {
    for (const { atMs, command } of this.#behind.splice(0, 32)) {
      runScript(this.#replica.data, command, atMs + this.#skewMs, false);
    }
  }
}

interface Pending {
  readonly reject: (error: Error) => void;
  readonly sentMs: number;
}

/** What ioredis is set to: `redis-connection.ts`. */
const socketTimeoutMs = 3000;
const backoffMinMs = 50;
const backoffMaxMs = 1000;
const reconnectGapMs = 1000;

/** Both connections of one proxy. */
export class SimulatedConnection implements RedisConnection {
  readonly #place: RedisPlace;
  readonly #gate: Gate;
  readonly #options: RedisConnectionOptions;
  #server: RedisServer | undefined;
  #life = 0;
  #tries = 0;
  #closed = false;
  #isSubscribed = false;
  /** Until then announcements get lost without anybody noticing. */
  deafUntilMs = 0;
  #reconnectedMs = -Infinity;
  readonly #pending = new Set<Pending>();
  /** Replies of one connection keep their order. */
  #lastReplyMs = 0;
  #lastArrivalMs = 0;

  constructor(options: RedisConnectionOptions, place: RedisPlace, gate: Gate) {
    this.#options = options;
    this.#place = place;
    this.#gate = gate;
  }

  connect(): void {
    const { time, master } = this.#place;
    const life = ++this.#life;
    time.after(this.#place.delay() * 2, () => {
      this.#gate(() => {
        if (this.#closed || life !== this.#life) return;
        if (!master.isUp) {
          this.#retry('ECONNREFUSED');
          return;
        }
        this.#tries = 0;
        this.#server = master;
        master.connections.add(this);
        this.#options.events.onReady();
        this.#subscribe(life);
      });
    });
  }

  call(command: RedisCommand): Promise<unknown> {
    const server = this.#server;
    if (server === undefined) return Promise.reject(new Error("Stream isn't writeable"));
    const { time } = this.#place;
    return new Promise((resolve, reject) => {
      const pending: Pending = { reject, sentMs: time.nowMs };
      this.#pending.add(pending);
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs + 0.001, time.nowMs + this.#place.delay());
      const arrive = (): void => {
        if (!server.isUp) return;
        if (server.frozenUntilMs > time.nowMs) {
          time.after(server.frozenUntilMs - time.nowMs + this.#place.delay(), arrive);
          return;
        }
        const outcome = attempt(() => this.#place.run(server, command));
        this.#reply(pending, () => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      };
      time.after(this.#lastArrivalMs - time.nowMs, arrive);
      this.#watchSilence(pending);
    });
  }

  reconnect(why: string): void {
    const { nowMs } = this.#place.time;
    if (nowMs - this.#reconnectedMs < reconnectGapMs) return;
    this.#reconnectedMs = nowMs;
    if (this.#server !== undefined) this.#place.time.after(0, () => this.broken(why));
  }

  tendSubscription(): void {
    if (this.#server !== undefined && !this.#isSubscribed) this.#subscribe(this.#life);
  }

  close(): void {
    this.#closed = true;
    this.#leave();
  }

  /** The server, or the way to it, is gone. */
  broken(why: string): void {
    if (this.#closed || this.#server === undefined) return;
    this.#leave();
    this.#gate(() => {
      for (const { reject } of this.#pending) reject(new Error('Connection is closed.'));
      this.#pending.clear();
      this.#retry(why);
    });
  }

  /** Only the subscription is gone; it is made anew when somebody looks. */
  unsubscribed(): void {
    this.#isSubscribed = false;
  }

  announce(message: string): void {
    const { time, chance, dropShare, doubleShare } = this.#place;
    if (!this.#isSubscribed || time.nowMs < this.deafUntilMs || chance.is(dropShare)) return;
    for (let copies = chance.is(doubleShare) ? 2 : 1; copies > 0; copies -= 1) {
      // Each on its own way: later ones may arrive first.
      time.after(this.#place.delay(), () =>
        this.#gate(() => {
          if (!this.#closed && this.#isSubscribed) this.#options.events.onMessage(message);
        }),
      );
    }
  }

  #reply(pending: Pending, settle: () => void): void {
    const { time } = this.#place;
    const life = this.#life;
    this.#lastReplyMs = Math.max(this.#lastReplyMs + 0.001, time.nowMs + this.#place.delay());
    time.after(this.#lastReplyMs - time.nowMs, () =>
      this.#gate(() => {
        if (life === this.#life && this.#pending.delete(pending)) settle();
      }),
    );
  }

  #watchSilence(pending: Pending): void {
    this.#place.time.after(socketTimeoutMs, () => {
      if (this.#pending.has(pending)) this.broken('Socket timeout. Expecting data, but none came.');
    });
  }

  #subscribe(life: number): void {
    this.#place.time.after(this.#place.delay() * 2, () =>
      this.#gate(() => {
        if (this.#closed || life !== this.#life || this.#server === undefined || this.#isSubscribed) return;
        if (this.#server.frozenUntilMs > this.#place.time.nowMs) return;
        this.#isSubscribed = true;
        this.#options.events.onSubscribed();
      }),
    );
  }

  #retry(why: string): void {
    if (this.#closed) return;
    this.#options.events.onClosed(why);
    const times = (this.#tries += 1);
    const backoffMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(times - 1, 10));
    const life = this.#life;
    this.#place.time.after(backoffMs * (0.5 + this.#options.random() / 2), () =>
      this.#gate(() => {
        if (!this.#closed && life === this.#life) this.connect();
      }),
    );
  }

  #leave(): void {
    this.#server?.connections.delete(this);
    this.#server = undefined;
    this.#isSubscribed = false;
    this.#life += 1;
  }
}

function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
