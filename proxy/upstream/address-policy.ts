// Which addresses a proxy may connect to. Checked on the address that is really used, after name resolution, so that
// neither a clever URL nor a rebinding name gets around it (failure.md, rule 18).

import ipaddr from 'ipaddr.js';

/** Where a gateway runs decides what is near enough to be harmful. */
export interface AddressPolicy {
  /** Loopback and private ranges: a laptop's own servers, or a cluster's inside. */
  readonly allowPrivate: boolean;
  /** CIDRs that are allowed whatever they are; the only way to reach link-local and metadata addresses. */
  readonly allowCidrs: readonly string[];
}

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Ranges of ipaddr.js that are inside: allowed with `allowPrivate`. */
const privateRanges = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

/**
 * A test for IP addresses. `service` is true for endpoints that name a Service of the cluster, whose addresses are
 * private by nature. Throws on a CIDR that is none.
 */
export function createAddressPolicy(policy: AddressPolicy): (address: string, service: boolean) => boolean {
  const allowed: Range[] = policy.allowCidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  return (address, service) => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    if (allowed.some((range) => contains(range, parsed))) return true;
    const range = parsed.range();
    return range === 'unicast' || (privateRanges.has(range) && (policy.allowPrivate || service) && !isMetadata(parsed));
  };
}

function contains([network, bits]: Range, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

/** The one metadata address inside a private range: fd00:ec2::254. Those in link-local ranges never get this far. */
function isMetadata(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.toNormalizedString() === 'fd00:ec2:0:0:0:0:0:254';
}
