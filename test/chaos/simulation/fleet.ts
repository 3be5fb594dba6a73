// The proxies of a run: who is there, what they are given, and what must be so of all of them together in the end.

import { foreverMs } from '../../../proxy/state/store.ts';
import { secretOf, secretsOf, snapshotOf } from './installation.ts';
import type { ProxyGround } from './sight.ts';
import { SimulatedProxy } from './simulated-proxy.ts';
import type { Chance } from './virtual-time.ts';

/** How far two ends of one disable may be apart: what the worst network of a run can hide of the servers' clock. */
const toleranceMs = 500;

/** All proxies. */
export class Fleet {
  readonly proxies: SimulatedProxy[] = [];
  readonly #ground: ProxyGround;
  readonly #chance: Chance;
  /** How often each key's secret has changed. */
  #turns = [0, 0, 0];
  #born = 0;
  #asked = 0;

  constructor(ground: ProxyGround, chance: Chance) {
    this.#ground = ground;
    this.#chance = chance;
    const count = 2 + chance.below(3);
    for (let number = 0; number < count; number += 1) this.join();
  }

  /** One more proxy, with a clock that is minutes off. */
  join(): void {
    const skewMs = this.#chance.between(-300_000, 300_000);
    const proxy = new SimulatedProxy(`proxy${++this.#born}`, skewMs, this.#ground);
    this.#ground.ledger.say(`${proxy.name} starts, its clock is ${skewMs.toFixed(0)} ms off`);
    this.proxies.push(proxy);
    proxy.start(this.#snapshot());
  }

  /** Its process dies, and another takes its place. */
  replace(proxy: SimulatedProxy, how: 'die' | 'end'): void {
    this.#ground.ledger.say(`${proxy.name} is to ${how}`);
    this.#ground.ledger.count(`proxy ${how}`);
    this.proxies.splice(this.proxies.indexOf(proxy), 1);
    proxy[how]();
    this.#ground.time.after(this.#chance.between(100, 5000), () => this.join());
  }

  one(): SimulatedProxy | undefined {
    const ready = this.proxies.filter(({ takesRequests }) => takesRequests);
    return ready.length === 0 ? undefined : this.#chance.one(ready);
  }

  ask(wish: {
    readonly stream: boolean;
    readonly pin?: string;
    readonly slowMs?: number;
    readonly mark?: string;
  }): void {
    const proxy = this.one();
    if (proxy === undefined) return;
    this.#ask(proxy, wish);
  }

  /** Asks, and leaves after so many milliseconds if they are given. */
  askAndLeave(stream: boolean, afterMs: number): void {
    const proxy = this.one();
    if (proxy === undefined) return;
    const exchange = this.#ask(proxy, { stream });
    this.#ground.time.after(afterMs, () => proxy.leave(exchange));
  }

  /** The secret of a key is changed: the vendor knows at once, each proxy a little later. */
  turnKey(index: number): void {
    const { form, providers, time, ledger } = this.#ground;
    const provider = providers.get('default/p0');
    if (!form.keyed || provider === undefined) return;
    const before = secretsOf(form, this.#turns)[index] ?? '';
    this.#turns = this.#turns.map((turn, at) => (at === index ? turn + 1 : turn));
    provider.turnKey(before, 'revoked');
    provider.turnKey(secretOf(`k${index}`, this.#turns[index] ?? 0), 'good');
    ledger.say(`the secret of k${index} is changed`);
    ledger.count('secret changed');
    const next = this.#snapshot();
    const { turns } = { turns: this.#turns };
    for (const proxy of this.proxies) {
      time.after(this.#chance.between(10, 3000), () =>
        proxy.gate(() => {
          // A later change may have come first.
          if (this.#turns === turns && proxy.snapshot !== undefined) proxy.adopt(next);
        }),
      );
    }
  }

  /** The secrets that are in force. */
  secrets(): readonly string[] {
    return secretsOf(this.#ground.form, this.#turns);
  }

  /** Everything that was wrong with the world is well from now on. */
  calm(): void {
    const { providers, redis, ledger } = this.#ground;
    ledger.say('calm');
    for (const provider of providers.values()) provider.turn('well', 1);
    for (const secret of this.secrets()) providers.get('default/p0')?.turnKey(secret, 'good');
    redis.dropShare = 0;
    redis.doubleShare = 0;
    redis.latencyMs = [0.2, 3];
    redis.revive(false);
    redis.setReadOnly(false);
    if (this.proxies.length < 2) this.join();
    for (const proxy of this.proxies) proxy.adopt(this.#snapshot());
  }

  /** Asks every proxy for every backend that a person has not switched off, and for the route. */
  askEverything(): void {
    const { ledger } = this.#ground;
    ledger.say('everything is asked for');
    this.#compareBooks();
    for (const [index, proxy] of this.proxies.entries()) {
      proxy.watch.answeredPins.clear();
      // One after the other: of a key only one of them all may make the trial.
      this.#ground.time.after(index * 3000, () => this.#askFor(proxy));
    }
  }

  #askFor(proxy: SimulatedProxy): void {
    const { leaves, ledger } = this.#ground;
    if (!proxy.takesRequests) {
      ledger.breach('I11', `${proxy.name} does not take requests although all is well`);
      return;
    }
    for (const { id } of leaves) {
      const pin = /^default\/chat\/(.*)$/.exec(id)?.[1];
      if (pin === undefined || proxy.expected.isHard(`backend:${id}`)) continue;
      this.#ask(proxy, { stream: this.#chance.is(0.5), pin });
    }
    this.#ask(proxy, { stream: false });
  }

  checkAtEnd(): void {
    const { ledger, calls } = this.#ground;
    for (const proxy of this.proxies) {
      const { name, watch, inFlight, loads, book, expected, clock } = proxy;
      if (watch.underWay > 0) ledger.breach('I1', `${name}: ${watch.underWay} requests have never ended`);
      if (inFlight.requests !== 0) ledger.breach('I6', `${name} counts ${inFlight.requests} requests in flight`);
      const isOut = (key: string): boolean => expected.until(key) > 0 || expected.until(`${key}#chat`) > 0;
      for (const { id, keys } of this.#ground.leaves) {
        const { inFlight: attempts, waiting } = loads.of(id);
        if (attempts !== 0 || waiting !== 0) {
          ledger.breach('I6', `${name} counts ${attempts} attempts on ${id} in flight, ${waiting} of them waiting`);
        }
        for (const target of [`backend:${id}`, ...keys]) {
          if (book.isTrial(target, clock.now())) ledger.breach('I6', `${name}: the trial of ${target} has never ended`);
          book.until(target);
        }
        // Keys without money rest for an hour.
        const isSwitchedOff = expected.isHard(`backend:${id}`) || (keys.length > 0 && keys.every(isOut));
        const pinned = watch.answeredPins.has(id.split('/').at(-1) ?? '');
        if (!isSwitchedOff && id.startsWith('default/chat/') && !pinned && proxy.takesRequests) {
          ledger.breach('I11', `${name}: ${id} does not come back although all is well`);
        }
      }
    }
    if (calls.size > 0) ledger.breach('I6', `${calls.size} requests to providers have never ended`);
  }

  #snapshot(): ReturnType<typeof snapshotOf> {
    return snapshotOf(this.#ground.form, this.#turns);
  }

  #ask(
    proxy: SimulatedProxy,
    { stream, pin, slowMs = 0, mark = '' }: Parameters<Fleet['ask']>[0],
  ): ReturnType<SimulatedProxy['ask']> {
    this.#asked += 1;
    return proxy.ask({ marker: `r${this.#asked}${mark}`, stream, pin, slowMs });
  }

  /** In calm weather every proxy holds the same disables, and ends them at the same time. */
  #compareBooks(): void {
    const { ledger, redis } = this.#ground;
    const [first, ...others] = this.proxies;
    if (first === undefined) return;
    const known = untilsOf(first);
    for (const other of others) {
      const its = untilsOf(other);
      for (const name of new Set([...known.keys(), ...its.keys()])) {
        const apartMs = Math.abs((known.get(name) ?? 0) - (its.get(name) ?? 0));
        if (apartMs > toleranceMs) {
          ledger.breach('I11', `${first.name} and ${other.name} differ over ${name}: ${apartMs.toFixed(0)} ms apart`);
        }
      }
    }
    for (const { store, name } of this.proxies) {
      const { state, detail } = store.health();
      if (state !== 'ok')
        ledger.breach('I11', `${name} does without Redis although all is well: ${detail}, ${redis.master.name}`);
    }
  }
}

/** What is left of each disable, in milliseconds. */
function untilsOf({ book, clock }: SimulatedProxy): ReadonlyMap<string, number> {
  const nowMs = clock.now();
  const left = book.list().map(({ target, hard, untilMs }) => {
    return [`${target} ${hard ? 'hard' : 'soft'}`, untilMs === foreverMs ? foreverMs : untilMs - nowMs] as const;
  });
  // Those that end now may have ended for one and not yet for another.
  return new Map(left.filter(([, leftMs]) => leftMs > toleranceMs));
}
