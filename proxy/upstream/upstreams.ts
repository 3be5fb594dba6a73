// The pools of all providers: opened when first needed, shared by what may share them, closed when nothing names them.

import type { LookupAddress } from 'node:dns';
import type { Clock } from '../canonical/clock.ts';
import type { Provider, Snapshot } from '../config/snapshot.ts';
import { type AddressPolicy, createAddressPolicy } from './address-policy.ts';
import { createLookup, createNameCache } from './name-cache.ts';
import { openPool, type UpstreamPool } from './pool.ts';

/** Where requests to upstreams go through. */
export interface Upstreams {
  /** The pool for a provider; `connectMs` is part of what a connection is. */
  pool(provider: Provider, connectMs: number): UpstreamPool;
  /** Closes pools of providers that the snapshot no longer has, once they are idle. */
  retain(snapshot: Snapshot): void;
  close(): Promise<void>;
}

/** What opening connections needs. */
export interface UpstreamsSettings {
  readonly clock: Clock;
  readonly addresses: AddressPolicy;
  /** The system's resolver. */
  readonly resolve: (hostname: string) => Promise<LookupAddress[]>;
}

interface OpenPool {
  readonly providerId: string;
  readonly pool: UpstreamPool;
}

/**
 * Opens pools per provider and connection settings. Providers never share connections: an upstream that answers more
 * than it was asked must not reach another tenant's requests (security.md, row 13).
 */
export function createUpstreams({ clock, addresses, resolve }: UpstreamsSettings): Upstreams {
  const allows = createAddressPolicy(addresses);
  const names = createNameCache(resolve, clock);
  const open = new Map<string, OpenPool>();

  function openFor(provider: Provider, connectMs: number): OpenPool {
    const { endpointSource, tls } = provider.config;
    const service = endpointSource === 'Service';
    const allowed = (address: string): boolean => allows(address, service);
    const settings = {
      origin: provider.origin,
      connectMs,
      caCertificates: tls?.caCertificates,
      serverName: tls?.serverName,
    };
    return { providerId: provider.id, pool: openPool(settings, createLookup(names, allowed), allowed) };
  }

  const keys = new WeakMap<Provider, string>();
  function keyOf(provider: Provider): string {
    let key = keys.get(provider);
    if (key === undefined) {
      const { endpointSource, tls } = provider.config;
      key = JSON.stringify([provider.id, provider.origin, endpointSource, tls]);
      keys.set(provider, key);
    }
    return key;
  }

  return {
    pool(provider, connectMs) {
      const key = `${connectMs} ${keyOf(provider)}`;
      let found = open.get(key);
      if (found === undefined) {
        found = openFor(provider, connectMs);
        open.set(key, found);
      }
      return found.pool;
    },
    retain(snapshot) {
      const wanted = new Set([...snapshot.providers.values()].map(keyOf));
      for (const [key, { pool }] of open) {
        if (wanted.has(key.slice(key.indexOf(' ') + 1))) continue;
        open.delete(key);
        void pool.close();
      }
    },
    async close() {
      await Promise.all([...open.values()].map(({ pool }) => pool.destroy()));
      open.clear();
    },
  };
}
