// What strategies may ask of a request. Nothing is worked out before one does.

import { crc32 } from 'node:zlib';
import type { AffinityConfig, PickContext } from '../balancing/picker.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Principal } from '../config/snapshot.ts';
import { outputTokensMax, promptKey } from '../protocols/prompt-key.ts';
import type { ProxyRequest } from './decode.ts';

/** Of English, and of most code. Other languages have fewer: prices are compared, so that only the order counts. */
const bytesPerToken = 4;

/** One request, as strategies see it. */
export class RequestContext implements PickContext {
  readonly #request: ProxyRequest;
  readonly #principal: Principal | undefined;
  readonly #clock: Clock;
  /** By what they have in common: asked again for each attempt. */
  #keys: Map<string, number | undefined> | undefined;

  /** Places that plugins gave, by rule and choice. */
  #places: Map<string, ReadonlyMap<string, number>> | undefined;

  constructor(request: ProxyRequest, principal: Principal | undefined, clock: Clock) {
    this.#request = request;
    this.#principal = principal;
    this.#clock = clock;
  }

  get nowMs(): number {
    return this.#clock.now();
  }

  get stream(): boolean {
    return this.#request.stream;
  }

  get inputTokens(): number {
    return Math.ceil(this.#request.exchange.body.length / bytesPerToken);
  }

  get outputTokensMax(): number | undefined {
    const { exchange, peek } = this.#request;
    return peek === undefined ? undefined : outputTokensMax(exchange.body, peek);
  }

  keyOf({ on, headerName = '' }: AffinityConfig): number | undefined {
    const name = on === 'Header' ? `Header ${headerName}` : on;
    const keys = (this.#keys ??= new Map());
    if (!keys.has(name)) keys.set(name, this.#work(on, headerName));
    return keys.get(name);
  }

  placesIn(ruleId: string): ReadonlyMap<string, number> | undefined {
    return this.#places?.get(ruleId);
  }

  /** Notes in which order a plugin put the choices of a rule. */
  place(ruleId: string, ids: readonly string[]): void {
    (this.#places ??= new Map()).set(ruleId, new Map(ids.map((id, index) => [id, index])));
  }

  #work(on: AffinityConfig['on'], headerName: string): number | undefined {
    const { exchange, peek } = this.#request;
    switch (on) {
      case 'Conversation':
      case 'Prefix':
        return peek === undefined ? undefined : promptKey(exchange.body, peek, on);
      case 'Client':
        return crc32(this.#principal?.id ?? exchange.remoteAddress);
      case 'Header': {
        const value = exchange.headers[headerName.toLowerCase()];
        return value === undefined ? undefined : crc32(String(value));
      }
    }
  }
}
