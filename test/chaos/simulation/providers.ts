// Providers without sockets: what is sent to them arrives after a while, is answered as their mood is, and comes back
// piece by piece. They know the truth about themselves, which no proxy is told.

import type { Dispatcher } from 'undici';
import type { Provider } from '../../../proxy/config/snapshot.ts';
import type { Sender, UpstreamPool } from '../../../proxy/upstream/pool.ts';
import type { Upstreams } from '../../../proxy/upstream/upstreams.ts';
import type { Ledger } from './ledger.ts';
import type { Gate } from './redis-place.ts';
import { type Call, markerOf, reactions, type Reaction } from './reactions.ts';
import type { Chance, VirtualTime } from './virtual-time.ts';

/** Ways in which a provider can be. */
export type Mood = 'well' | keyof typeof reactions;

/** What is true of a key. */
export type KeyTruth = 'good' | 'revoked' | 'poor' | 'limited';

/** One provider. */
export class SimulatedProvider {
  readonly name: string;
  readonly keys = new Map<string, { truth: KeyTruth; changedMs: number }>();
  mood: Mood = 'well';
  /** How many of its requests feel the mood. */
  share = 1;
  /** The last time at which it was not well. */
  #illMs = -Infinity;
  readonly #time: VirtualTime;

  constructor(name: string, time: VirtualTime) {
    this.name = name;
    this.#time = time;
  }

  turn(mood: Mood, share: number): void {
    if (this.mood !== 'well') this.#illMs = this.#time.nowMs;
    this.mood = mood;
    this.share = share;
  }

  isWellSince(sinceMs: number): boolean {
    return this.mood === 'well' && this.#illMs < sinceMs;
  }

  turnKey(secret: string, truth: KeyTruth): void {
    this.keys.set(secret, { truth, changedMs: this.#time.nowMs });
  }

  isKeyGoodSince(secret: string, sinceMs: number): boolean {
    const key = this.keys.get(secret);
    return key !== undefined && key.truth === 'good' && key.changedMs < sinceMs;
  }
}

/** What all calls of a simulation have in common. */
export interface CallGround {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly ledger: Ledger;
  readonly providers: ReadonlyMap<string, SimulatedProvider>;
  /** All providers say the same to the same request. */
  readonly oneVoice: boolean;
  /** Every request that is under way to a provider, by the marker in its body. */
  readonly calls: Map<string, Set<ProviderCall>>;
}

/** How often a kept connection turns out to be dead. */
const staleShare = 0.02;

/** The way of one proxy to all providers. */
export function createSimulatedUpstreams(ground: CallGround, gate: Gate): Upstreams {
  const senderOf = (provider: Provider, fresh: boolean): Sender => ({
    dispatch(request, handler) {
      const simulated = ground.providers.get(provider.id);
      if (simulated === undefined) throw new Error(`there is no provider ${provider.id}`);
      new ProviderCall(ground, gate, simulated, request, handler).start(!fresh && ground.chance.is(staleShare));
      return true;
    },
  });
  const pools = new Map<string, UpstreamPool>();
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    pool(provider) {
      let pool = pools.get(provider.id);
      if (pool === undefined) {
        pool = { ...senderOf(provider, false), fresh: senderOf(provider, true), close: nothing, destroy: nothing };
        pools.set(provider.id, pool);
      }
      return pool;
    },
    retain: () => {},
    close: nothing,
  };
}

/** One request to a provider, as undici would carry it. */
export class ProviderCall implements Call, Dispatcher.DispatchController {
  readonly provider: SimulatedProvider;
  readonly secret: string;
  readonly marker: string;
  readonly stream: boolean;
  aborted = false;
  paused = false;
  reason: Error | null = null;
  /** Nothing more comes of it, or is wanted. */
  over = false;
  readonly #ground: CallGround;
  readonly #gate: Gate;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #late: (() => void)[] = [];
  #lastMs = 0;

  constructor(
    ground: CallGround,
    gate: Gate,
    provider: SimulatedProvider,
    request: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ) {
    this.#ground = ground;
    this.#gate = gate;
    this.provider = provider;
    this.#handler = handler;
    const body = JSON.parse((request.body as Buffer).toString()) as Parameters<typeof markerOf>[0] & {
      readonly stream?: boolean;
    };
    this.marker = markerOf(body);
    this.stream = body.stream === true;
    const { authorization = '' } = request.headers as Readonly<Record<string, string>>;
    this.secret = authorization.replace('Bearer ', '');
  }

  get voice(): string {
    return this.#ground.oneVoice ? 'all' : this.provider.name;
  }

  get chance(): Chance {
    return this.#ground.chance;
  }

  start(stale: boolean): void {
    const { calls, time } = this.#ground;
    const known = calls.get(this.marker);
    if (known === undefined) calls.set(this.marker, new Set([this]));
    else known.add(this);
    this.#lastMs = time.nowMs;
    this.next(() => this.#handler.onRequestStart?.(this, undefined));
    if (stale) {
      this.fail('ECONNRESET', 4711);
      return;
    }
    const reaction = this.#reaction();
    if (reaction.unconnected !== true) this.pass(this.chance.between(0.3, 5));
    reaction.act(this);
  }

  /** Time passes before what comes next. */
  pass(ms: number): void {
    this.#lastMs += ms;
  }

  /** Happens in the proxy after all that came before, unless the request is over by then. */
  next(happen: () => void): void {
    const { time } = this.#ground;
    this.#lastMs += 0.01;
    time.after(this.#lastMs - time.nowMs, () => this.#gate(() => this.#deliver(happen)));
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.next(() => {
      this.#handler.onResponseStarted?.();
      this.#handler.onResponseStart?.(this, status, { ...headers });
    });
  }

  data(text: string): void {
    this.next(() => this.#handler.onResponseData?.(this, Buffer.from(text)));
  }

  end(): void {
    this.next(() => {
      this.#finish();
      this.#handler.onResponseEnd?.(this, {});
    });
  }

  /** The connection breaks; `bytesRead` is what it had carried before. */
  fail(code: string, bytesRead = 0): void {
    this.next(() => {
      this.#finish();
      this.#handler.onResponseError?.(this, Object.assign(new Error(code), { code, bytesRead }));
    });
  }

  abort(reason: Error): void {
    if (this.over) return;
    this.aborted = true;
    this.reason = reason;
    this.#finish();
    this.#handler.onResponseError?.(this, reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (!this.paused) {
      const happen = this.#late.shift();
      if (happen === undefined) return;
      if (!this.over) happen();
    }
  }

  /** The proxy's process has died. */
  drop(): void {
    this.#finish();
  }

  #deliver(happen: () => void): void {
    if (this.over) return;
    if (this.paused || this.#late.length > 0) this.#late.push(happen);
    else happen();
  }

  #reaction(): Reaction {
    const { provider, marker } = this;
    if (marker.endsWith('-bad')) return reactions['a 400'];
    if (marker.endsWith('-poison')) return reactions['a 500'];
    if (provider.mood !== 'well' && this.chance.is(provider.share)) {
      this.#ground.ledger.count(`fault ${provider.mood}`);
      return reactions[provider.mood];
    }
    const key = provider.keys.get(this.secret);
    if (provider.keys.size === 0 || key?.truth === 'good') return reactions['an answer'];
    this.#ground.ledger.count(`key ${key?.truth ?? 'unknown'}`);
    if (key?.truth === 'poor') return reactions['a 429 for money'];
    return key?.truth === 'limited' ? reactions['a 429'] : reactions['a 401'];
  }

  #finish(): void {
    this.over = true;
    const known = this.#ground.calls.get(this.marker);
    known?.delete(this);
    if (known?.size === 0) this.#ground.calls.delete(this.marker);
  }
}
