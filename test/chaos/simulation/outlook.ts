// Who could have answered: what a proxy knows against each backend, by the rules, and what is true of its provider.

import type { Snapshot } from '../../../proxy/config/snapshot.ts';
import type { SimulatedExchange } from './client.ts';
import type { Leaf } from './installation.ts';
import type { Sight } from './sight.ts';

/** All forms name no model of their own: the client's goes to every backend. */
const model = 'chat';

/** A request, and what it was asked with. */
export interface Asked {
  readonly exchange: SimulatedExchange;
  /** By the clock of the proxy. */
  readonly arrivedMs: number;
  /** The configuration that it is served by, to its end. */
  readonly snapshot: Snapshot | undefined;
}

/** The sight of one proxy, and the truth. */
export class Outlook {
  readonly #settings: Sight;

  constructor(settings: Sight) {
    this.#settings = settings;
  }

  /** Whether the backend is disabled, itself or for want of a key. */
  isOut({ id, keys }: Leaf, named: string | undefined): boolean {
    const { expected } = this.#settings.proxy;
    if (expected.until(`backend:${id}`) > 0) return true;
    if (named !== undefined && expected.until(`backend:${id}#${named}`) > 0) return true;
    return keys.length > 0 && keys.every((key) => this.isKeyOut(key, named));
  }

  isKeyOut(key: string, named: string | undefined): boolean {
    const { expected } = this.#settings.proxy;
    return expected.until(key) > 0 || (named !== undefined && expected.until(`${key}#${named}`) > 0);
  }

  /** Whether somebody is trying out the backend. */
  isOnTrial({ id }: Leaf): boolean {
    return this.#settings.proxy.expected.of(`backend:${id}`).trialMs !== undefined;
  }

  /** Whether the backend is, or has been since then, out or to be tried out, itself or for want of a key. */
  wasOutSince({ id, keys }: Leaf, sinceMs: number): boolean {
    const { expected } = this.#settings.proxy;
    const wasOut = (target: string): boolean =>
      expected.wasOutSince(target, sinceMs) || expected.wasOutSince(`${target}#${model}`, sinceMs);
    return wasOut(`backend:${id}`) || (keys.length > 0 && keys.every(wasOut));
  }

  /** Why a request may fail, or undefined if nothing excuses it. */
  excuseFor(asked: Asked, source: string, error: string | undefined): string | undefined {
    const { form, proxy, leaves } = this.#settings;
    const { exchange, arrivedMs } = asked;
    const { wish, arrivedMs: beganMs, status } = exchange;
    if (error === 'draining' || error === 'not_ready') return 'the proxy stops';
    if (wish.marker.endsWith('-poison')) return 'a request that breaks whoever gets it';
    if (wish.marker.endsWith('-bad') && status === 400) return 'a request of the client that is wrong';
    if (wish.pin !== undefined) {
      const pinned = leaves.find(({ id }) => id.endsWith(`/${wish.pin}`));
      const isHealthy = pinned !== undefined && this.#isHealthySince(pinned, asked);
      return isHealthy ? undefined : 'its backend was not well';
    }
    if (proxy.clock.now() - arrivedMs >= form.totalMs) return 'its time was over';
    if (form.resumes ? source !== '' && form.maxAttempts < 10 : source !== '') {
      const begun = leaves.find(({ provider }) => provider.endsWith(`/${source}`));
      return begun !== undefined && this.#isTrulyWell(begun, beganMs) ? undefined : 'the answer broke after content';
    }
    if (form.maxAttempts < leaves.length * (1 + form.retries)) return 'few attempts';
    if (proxy.stoodStillSince(beganMs) > 0) return 'the process stood still';
    const healthy = leaves.find((leaf) => this.#isHealthySince(leaf, asked));
    return healthy === undefined ? 'no backend was well and enabled all along' : undefined;
  }

  #isHealthySince(leaf: Leaf, asked: Asked): boolean {
    const { exchange, arrivedMs } = asked;
    if (!this.#isTrulyWell(leaf, exchange.arrivedMs) || this.wasOutSince(leaf, arrivedMs)) return false;
    return this.#hasKey(leaf, asked);
  }

  #isTrulyWell({ provider }: Leaf, sinceMs: number): boolean {
    return this.#settings.providers.get(provider)?.isWellSince(sinceMs) === true;
  }

  /** Whether the pool has a key that was good and enabled all along, if it is a pool. */
  #hasKey({ keys, provider }: Leaf, { exchange, arrivedMs, snapshot }: Asked): boolean {
    if (keys.length === 0) return true;
    const { proxy, providers } = this.#settings;
    const secrets = new Map(
      snapshot?.providers.get(provider)?.keys.map(({ target, secret }) => [target, secret] as const),
    );
    return keys.some((key) => {
      const isOut =
        proxy.expected.wasOutSince(key, arrivedMs) || proxy.expected.wasOutSince(`${key}#${model}`, arrivedMs);
      return !isOut && providers.get(provider)?.isKeyGoodSince(secrets.get(key) ?? '', exchange.arrivedMs) === true;
    });
  }
}
