// Name resolution with a memory: node's own asks the resolver for each connection, on a pool of four threads, and fails
// with it. Answers are kept for 30 s and, while the resolver fails, for five minutes more.

import type { LookupAddress, LookupOptions } from 'node:dns';
import type { Clock } from '../canonical/clock.ts';

/** The form of `dns.lookup` that net.connect calls. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
) => void;

/** Asks the system's resolver for all addresses of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

const freshMs = 30_000;
const staleMs = 300_000;
/** Host names come from the configuration: at most a few hundred. */
const namesMax = 5_000;

interface Entry {
  addresses: readonly LookupAddress[];
  readAtMs: number;
  refreshing: Promise<readonly LookupAddress[]> | undefined;
}

/** A cached resolver. */
export function createNameCache(
  resolve: Resolve,
  clock: Clock,
): (hostname: string) => Promise<readonly LookupAddress[]> {
  const entries = new Map<string, Entry>();
  /** First lookups under way: a burst of connections to a new upstream asks once. */
  const first = new Map<string, Promise<readonly LookupAddress[]>>();

  async function refresh(hostname: string, entry: Entry | undefined): Promise<readonly LookupAddress[]> {
    try {
      const addresses = await resolve(hostname);
      if (entries.size >= namesMax) entries.clear();
      entries.set(hostname, { addresses, readAtMs: clock.now(), refreshing: undefined });
      return addresses;
    } catch (error) {
      if (entry === undefined || clock.now() - entry.readAtMs > freshMs + staleMs) throw error;
      return entry.addresses;
    } finally {
      if (entry !== undefined) entry.refreshing = undefined;
    }
  }

  function learn(hostname: string): Promise<readonly LookupAddress[]> {
    const underway = first.get(hostname) ?? refresh(hostname, undefined).finally(() => first.delete(hostname));
    first.set(hostname, underway);
    return underway;
  }

  return async (hostname) => {
    const entry = entries.get(hostname);
    if (entry === undefined) return learn(hostname);
    if (clock.now() - entry.readAtMs <= freshMs) return entry.addresses;
    entry.refreshing ??= refresh(hostname, entry);
    return entry.refreshing;
  };
}

/** An address was refused by policy: not a fault of the network. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'ERR_SLUICE_ADDRESS_REFUSED';
}

/** A `lookup` for net.connect that gives only addresses which the policy allows. */
export function createLookup(
  names: (hostname: string) => Promise<readonly LookupAddress[]>,
  allows: (address: string) => boolean,
): Lookup {
  return (hostname, options, callback) => {
    names(hostname).then(
      (addresses) => answer(addresses),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), ''),
    );

    function answer(addresses: readonly LookupAddress[]): void {
      const { family } = options;
      const wanted = addresses.filter((it) => family === undefined || family === 0 || it.family === toFamily(family));
      const allowed = wanted.filter((it) => allows(it.address));
      const first = allowed[0];
      if (first === undefined) {
        callback(new AddressRefused(`no allowed address for ${hostname}`), '');
      } else if (options.all === true) {
        callback(null, [...allowed]);
      } else {
        callback(null, first.address, first.family);
      }
    }
  };
}

function toFamily(family: number | 'IPv4' | 'IPv6'): number {
  if (family === 'IPv4') return 4;
  return family === 'IPv6' ? 6 : family;
}
