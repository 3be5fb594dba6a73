// Which keys and backends belong together, and which keys open something, counted once per configuration instead of once per object.

import type { Credentials, GatewayConfig } from '../../proxy/config/schema.ts';
import type { Cache } from '../watch/cache.ts';
import type { Resource } from '../watch/resource.ts';

/** Keys of one provider. */
export interface Pool {
  /** Ids of all LLMKeys that name it. */
  readonly total: readonly string[];
  /** Ids of those whose credential the proxies have. */
  readonly provided: readonly string[];
}

const emptyPool: Pool = { total: [], provided: [] };
const noBackends: ReadonlySet<string> = new Set();

/** Pools of providers, and backends of routes. */
export class Pools {
  readonly #keys: Cache<Resource<'LLMKey'>>;
  #pools: ReadonlyMap<string, Pool> = new Map();
  #served: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #clients: ReadonlySet<string> = new Set();

  constructor(keys: Cache<Resource<'LLMKey'>>) {
    this.#keys = keys;
  }

  /** Counts anew. */
  update(config: GatewayConfig | undefined, credentials: Credentials | undefined): void {
    const provided = new Set((credentials?.upstream ?? []).map(({ id }) => id));
    const pools = new Map<string, { total: string[]; provided: string[] }>();
    for (const { namespace, name, parsed } of this.#keys.list()) {
      const upstream = parsed.ok ? parsed.resource.spec.upstream : undefined;
      if (upstream === undefined) continue;
      const provider = `${namespace}/${upstream.providerRef.name}`;
      const pool = pools.get(provider) ?? { total: [], provided: [] };
      pools.set(provider, pool);
      const id = `${namespace}/${name}`;
      pool.total.push(id);
      if (provided.has(id)) pool.provided.push(id);
    }
    this.#pools = pools;
    this.#clients = new Set((credentials?.clients ?? []).map(({ id }) => id));
    this.#served = new Map(
      (config?.routes ?? []).map(({ id, rules }) => [
        id,
        new Set(rules.flatMap(({ backends }) => backends.map(({ name }) => name))),
      ]),
    );
  }

  of(providerId: string): Pool {
    return this.#pools.get(providerId) ?? emptyPool;
  }

  /** Whether proxies know a client key by some secret of it. */
  knowsClient(keyId: string): boolean {
    return this.#clients.has(keyId);
  }

  servedBackends(routeId: string): ReadonlySet<string> {
    return this.#served.get(routeId) ?? noBackends;
  }
}
