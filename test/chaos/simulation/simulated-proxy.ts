// One proxy of a simulation: the parts of a gateway that decide, as `proxy/router.ts` puts them together, with a store that
// talks to the model of Redis. Its process may stand still, end in order, or die.

import { combineObservers } from '../../../proxy/accounting/account.ts';
import { createBackendSwitch } from '../../../proxy/admin/backend-switch.ts';
import { LoadBook } from '../../../proxy/balancing/load-book.ts';
import type { Clock } from '../../../proxy/canonical/clock.ts';
import type { Snapshot } from '../../../proxy/config/snapshot.ts';
import { InFlight } from '../../../proxy/gateway-facts.ts';
import { createRouter, type Router } from '../../../proxy/router.ts';
import { createDisableBook } from '../../../proxy/state/disable-book.ts';
import { createRedisStore } from '../../../proxy/state/redis-store.ts';
import type { DisableBook, StateStore } from '../../../proxy/state/store.ts';
import { SimulatedExchange, type Wish } from './client.ts';
import { createSimulatedUpstreams } from './providers.ts';
import { SimulatedConnection } from './redis-place.ts';
import { RequestWatch } from './request-watch.ts';
import type { ProxyGround, WatchedProxy } from './sight.ts';
import { Expectations, WatchedBook, WatchedStore } from './watched-book.ts';

/** How long a starting proxy waits for Redis: as in `gateway.ts`. */
const storeStartMs = 1000;
/** After so long a client that left must be gone from upstreams too. */
const abortMaxMs = 100;

/** One proxy. */
export class SimulatedProxy implements WatchedProxy {
  readonly name: string;
  readonly clock: Clock;
  readonly expected: Expectations;
  readonly book: DisableBook;
  readonly store: StateStore;
  readonly connection: { current: SimulatedConnection | undefined } = { current: undefined };
  readonly watch: RequestWatch;
  readonly inFlight = new InFlight();
  readonly loads = new LoadBook();
  readonly admin: ReturnType<typeof createBackendSwitch>;
  /** Not before it has started, and not once it is to end. */
  takesRequests = false;
  isDead = false;
  readonly exchanges = new Set<SimulatedExchange>();
  readonly #ground: ProxyGround;
  readonly #router: Router;
  readonly #snapshots: { current: Snapshot | undefined } = { current: undefined };
  #stillUntilMs = 0;
  readonly #late: (() => void)[] = [];
  readonly #stills: { readonly untilMs: number; readonly forMs: number }[] = [];

  constructor(name: string, skewMs: number, ground: ProxyGround) {
    const { time, chance, ledger, redis } = ground;
    this.name = name;
    this.#ground = ground;
    this.clock = {
      now: () => Math.floor(time.nowMs + skewMs),
      // As timers of Node: of whole milliseconds, never at once, a little late.
      setTimer: (delayMs, fire) => {
        let isCancelled = false;
        // Also one that is due, while the process stands still.
        const due = (): void => (isCancelled ? undefined : fire());
        const timer = time.after(Math.max(1, Math.floor(delayMs)) + chance.number(), () => this.gate(due));
        return {
          cancel() {
            isCancelled = true;
            timer.cancel();
          },
        };
      },
    };
    const { clock } = this;
    const log = {
      info: (_fields: object, message: string) => ledger.say(`${name}: ${message}`),
      warn: (_fields: object, message: string) => ledger.say(`${name}: ${message}`),
    };
    this.expected = new Expectations(clock);
    const store = createRedisStore({
      url: 'redis://redis.example',
      className: 'default',
      proxyId: name,
      clock,
      random: chance.number,
      log,
      connection: (options) => (this.connection.current = new SimulatedConnection(options, redis, this.gate)),
    });
    this.store = new WatchedStore(store, this.expected, ({ type }) => ledger.count(`news ${type}`));
    const real = createDisableBook({ clock, store: this.store, proxyId: name, log });
    const book = ground.sabotage?.(real, clock) ?? real;
    this.book = new WatchedBook(book, this.expected, clock, ledger, name);
    this.watch = new RequestWatch({ ...ground, proxy: this });
    this.admin = createBackendSwitch(this.book, clock);
    this.#router = createRouter({
      clock,
      random: chance.number,
      snapshots: this.#snapshots,
      disables: this.book,
      state: this.store,
      loads: this.loads,
      upstreams: createSimulatedUpstreams(ground, this.gate),
      fetchSource: () => Promise.reject(new Error('no client names an address')),
      tokens: { tokenFor: () => Promise.reject(new Error('nothing needs a token here')), retain: () => undefined },
      observer: combineObservers([this.inFlight.observer, this.watch], (error) => this.#isWrong(error)),
      onMalformed: () => ledger.count('malformed frame'),
      unexpected: (error) => this.#isWrong(error),
    });
  }

  /** What reaches the process: nothing once it is dead, later while it stands still. */
  readonly gate = (fire: () => void): void => {
    if (this.isDead) return;
    if (this.#ground.time.nowMs >= this.#stillUntilMs && this.#late.length === 0) fire();
    else this.#late.push(fire);
  };

  start(snapshot: Snapshot): void {
    void this.store.start(storeStartMs).then(() => {
      this.adopt(snapshot);
      this.takesRequests = true;
    });
  }

  adopt(next: Snapshot): void {
    const previous = this.#snapshots.current;
    this.#snapshots.current = next;
    this.#router.adopt(next, previous);
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshots.current;
  }

  /** The process does nothing for a while: it has no CPU, or collects garbage. */
  standStill(forMs: number): void {
    const { time } = this.#ground;
    this.#stillUntilMs = Math.max(this.#stillUntilMs, time.nowMs + forMs);
    this.#stills.push({ untilMs: this.#stillUntilMs, forMs });
    time.after(forMs, () => this.#catchUp());
  }

  /** Milliseconds that the process has stood still since then, or a little more. */
  stoodStillSince(sinceMs: number): number {
    return this.#stills.reduce((sum, { untilMs, forMs }) => (untilMs > sinceMs ? sum + forMs : sum), 0);
  }

  get isStill(): boolean {
    return this.#ground.time.nowMs < this.#stillUntilMs;
  }

  ask(wish: Wish): SimulatedExchange {
    const { time } = this.#ground;
    const exchange = new SimulatedExchange(wish, this.clock.now(), time);
    this.exchanges.add(exchange);
    this.watch.arrived(exchange);
    void this.#router.handler(exchange).then(() => {
      exchange.handled = true;
      this.exchanges.delete(exchange);
      if (!this.isDead) this.watch.over(exchange);
    });
    return exchange;
  }

  /** A client leaves. */
  leave(exchange: SimulatedExchange): void {
    const { time } = this.#ground;
    this.gate(() => {
      exchange.leave();
      time.after(abortMaxMs, () => this.gate(() => this.watch.checkGone(exchange)));
    });
  }

  /** Ends in order: what is under way gets a second. */
  end(): void {
    this.takesRequests = false;
    this.#ground.time.after(1000, () =>
      this.gate(() => {
        for (const exchange of this.exchanges) exchange.drain();
        void this.store.close().then(() => this.die());
      }),
    );
  }

  /** Dies at once; its clients and upstreams see their connections break. */
  die(): void {
    this.takesRequests = false;
    this.isDead = true;
    this.connection.current?.close();
    for (const { wish } of this.exchanges) {
      for (const call of this.#ground.calls.get(wish.marker) ?? []) call.drop();
    }
    this.exchanges.clear();
  }

  #catchUp(): void {
    if (this.isStill || this.isDead) return;
    this.#late.shift()?.();
    // One turn each: what follows from one comes before the next.
    if (this.#late.length > 0) this.#ground.time.after(0.0001, () => this.#catchUp());
  }

  #isWrong(error: unknown): void {
    this.#ground.ledger.breach('I1', `${this.name}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
