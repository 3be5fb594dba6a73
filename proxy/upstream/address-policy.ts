// Which addresses a proxy may connect to. Checked on the address that is really used, after name resolution, so that
// neither a clever URL nor a rebinding name gets around it (failure.md, rule 18).

import { isIP } from 'node:net';
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

/** Metadata services of clouds outside the link-local ranges, which are refused anyway. */
const metadata: readonly Range[] = [
  'fd00:ec2::/32', // AWS: instances, name servers, pod identities
  'fd20:ce::254/128', // Google
  'fd00:c1::a9fe:a9fe/128', // Oracle
  '100.100.100.200/32', // Alibaba
  '168.63.129.16/32', // Azure
].map((cidr) => ipaddr.parseCIDR(cidr));

/**
 * A test for IP addresses. `service` is true for endpoints that name a Service of the cluster, whose addresses are
 * private by nature. Throws on a CIDR that is none.
 */
export function createAddressPolicy(policy: AddressPolicy): (address: string, service: boolean) => boolean {
  const allowed: Range[] = policy.allowCidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  return (address, service) => {
    // ipaddr.js reads more as addresses than the kernel does: decimal and octal numbers, for example.
    if (isIP(address) === 0) return false;
    const parsed = ipaddr.process(address);
    if (allowed.some((range) => contains(range, parsed))) return true;
    if (metadata.some((range) => contains(range, parsed))) return false;
    return isPublic(parsed) || (privateRanges.has(parsed.range()) && (policy.allowPrivate || service));
  };
}

function contains([network, bits]: Range, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

/** All of IPv6 that is routed; ipaddr.js calls unicast whatever has no other name, IPv4 in its oldest disguise too. */
const routedIPv6 = ipaddr.parseCIDR('2000::/3');

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || contains(routedIPv6, address));
}
