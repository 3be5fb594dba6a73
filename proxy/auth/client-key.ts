// Client keys: where a request carries one, and how it is looked up without ever comparing or storing the key itself.

import { hash } from 'node:crypto';
import type { Credentials, ClientKeyConfig } from '../config/schema.ts';
import type { IncomingHeaderMap } from '../config/headers.ts';
import type { Principal } from '../config/snapshot.ts';
import { compileModelPatterns } from './model-patterns.ts';

/** Longer values cannot be keys: generated ones have 43 characters, and hashing megabytes of header would cost. */
const keyLengthMax = 4_096;

/** The client key of a request: `authorization: Bearer`, `x-api-key` or `api-key`, in this order. */
export function readClientKey(headers: IncomingHeaderMap): string | undefined {
  const authorization = headers['authorization'];
  if (typeof authorization === 'string' && /^bearer /i.test(authorization)) return authorization.slice(7).trim();
  const key = headers['x-api-key'] ?? headers['api-key'];
  return typeof key === 'string' ? key : undefined;
}

/**
 * Looks principals up by key. The key is hashed and the digest looked up, so that the time it takes says nothing about
 * any stored key, and a stolen digest opens nothing. A principal has two keys while it changes from one to the next; each
 * ends by itself. Of two entries with the same digest the first counts: credentials name the current key first.
 */
export function createKeyring(
  configs: readonly ClientKeyConfig[],
  clients: Credentials['clients'],
): (key: string) => Principal | undefined {
  const byId = new Map(configs.map((config) => [config.id, config]));
  const byDigest = new Map<string, Principal>();
  for (const { id, sha256, expiresAt } of clients) {
    const config = byId.get(id);
    if (config !== undefined && !byDigest.has(sha256)) byDigest.set(sha256, toPrincipal(config, expiresAt));
  }
  return (key) => (key.length > keyLengthMax ? undefined : byDigest.get(hash('sha256', key, 'hex')));
}

function toPrincipal(config: ClientKeyConfig, expiresAtMs: number | undefined): Principal {
  return {
    id: config.id,
    namespace: config.namespace,
    tenant: config.tenant,
    labels: config.labels,
    mayUse: compileModelPatterns(config.models),
    mayUseAll: config.models.includes('*'),
    expiresAtMs,
  };
}
