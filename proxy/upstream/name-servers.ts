// Names that strangers choose, resolved apart from those of the configuration: by the name servers alone, never from files
// or search domains of this machine, and without holding up the four threads on which the system's resolver works.

import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';

/** Asks the name servers that the system has. */
export function createNameServers(): (hostname: string) => Promise<LookupAddress[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  return async (hostname) => {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    if (v4.status === 'rejected' && v6.status === 'rejected') throw v4.reason;
    return [...addressesIn(v4, 4), ...addressesIn(v6, 6)];
  };
}

function addressesIn(result: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return result.status === 'rejected' ? [] : result.value.map((address) => ({ address, family }));
}
