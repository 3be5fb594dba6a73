// Who may ask the admin port for what (failure.md, rule 19; security.md, row 17): token, Host and Origin. Pure
// decisions over headers; the answers are the same however the server is built.

import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { AdminError } from './admin-error.ts';

/** `open`: to everyone who reaches the port. `protected`: to who may read. `change`: the same, and not to other pages. */
export type AccessClass = 'open' | 'protected' | 'change';

/** The headers that decide. */
export interface AccessHeaders {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
}

/** Decides on requests. */
export interface AccessRules {
  /** Before any path is looked at: whether a page could have been tricked into asking (DNS rebinding). */
  checkHost(headers: AccessHeaders): AdminError | undefined;
  checkAccess(headers: AccessHeaders, access: AccessClass): AdminError | undefined;
}

/** Makes the rules for one bound address; an empty token is none. */
export function createAccessRules({
  host,
  token,
}: {
  readonly host: string;
  readonly token: string | undefined;
}): AccessRules {
  const loopback = isLoopback(host);
  const expected = token ? digestOf(token) : undefined;
  const holdsToken = ({ authorization }: AccessHeaders): boolean => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    // Digests, because a comparison in constant time needs equal lengths.
    return expected !== undefined && given !== undefined && timingSafeEqual(digestOf(given), expected);
  };
  return {
    checkHost(headers) {
      // Off loopback everything but the open paths needs the token, which no page can send for its visitor, and the
      // open ones are asked for under names of Services that nobody can list here.
      if (!loopback || holdsToken(headers)) return undefined;
      const name = hostNameOf(headers.host);
      if (name !== undefined && isLoopback(name)) return undefined;
      return new AdminError('host_not_allowed');
    },
    checkAccess(headers, access) {
      if (access === 'open') return undefined;
      if (expected === undefined && !loopback) return new AdminError('token_not_set');
      if (expected !== undefined && !holdsToken(headers)) return new AdminError('token_required');
      if (access === 'change' && !isSameOrigin(headers)) return new AdminError('origin_not_allowed');
      return undefined;
    },
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet('127.0.0.0', 8, 'ipv4');
loopbackAddresses.addAddress('::1', 'ipv6');

/** Whether a name or address can only mean this machine. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopbackAddresses.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** The name in a Host header, without port and brackets; undefined if it is not one. */
function hostNameOf(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** A page of this very port, or no page at all. */
function isSameOrigin({ host, origin }: AccessHeaders): boolean {
  return origin === undefined || (host !== undefined && origin.toLowerCase() === `http://${host.toLowerCase()}`);
}
