// Lays a configuration out as the files that proxies read: index, parts, credentials. Pure: equal input gives equal bytes,
// so that what has not changed need not be written. Knows nothing of the objects that the files go into.

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  type ConfigIndex,
  configVersion,
  type Credentials,
  credentialsName,
  type GatewayConfig,
  gzippedCredentialsName,
  indexName,
  partsMax,
} from '../../proxy/config/schema.ts';

/** A file of its name. */
export interface PackedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A configuration as files. Proxies need all of them; the index is what makes the others count. */
export interface Packed {
  readonly index: PackedFile;
  /** In their order; each has a place of its own where one is too small. */
  readonly parts: readonly PackedFile[];
  readonly credentials: PackedFile;
}

/** Credentials of some hundred keys. Larger ones are gzipped: two sets must fit into one Secret, which holds 1 MiB. */
const readableCredentialsBytesMax = 64 * 1024;

/** More parts than the contract has room for. */
export class ConfigTooLarge extends Error {
  override readonly name = 'ConfigTooLarge';
}

/**
 * Packs a configuration with its credentials. It stays readable JSON while it fits into one part, and is compressed and
 * cut where it does not. Throws ConfigTooLarge. Credentials are compressed where they are large; how large they may be
 * then is for those to say who know what else lies beside them.
 */
export function packConfig(
  config: GatewayConfig,
  credentials: Credentials,
  { partBytesMax }: { readonly partBytesMax: number },
): Packed {
  const json = Buffer.from(JSON.stringify(config));
  const encoding = json.length <= partBytesMax ? 'json' : 'gzip';
  const parts = encoding === 'json' ? [{ name: 'config.json', bytes: json }] : cut(gzipSync(json), partBytesMax);
  const index: ConfigIndex = {
    version: configVersion,
    revision: config.revision,
    digest: config.digest,
    credentialsDigest: config.credentialsDigest,
    encoding,
    parts: parts.map(({ name, bytes }) => ({ name, sha256: sha256(bytes) })),
  };
  return {
    index: { name: indexName, bytes: Buffer.from(JSON.stringify(index)) },
    parts,
    credentials: packCredentials(credentials),
  };
}

function packCredentials(credentials: Credentials): PackedFile {
  const json = Buffer.from(JSON.stringify(credentials));
  if (json.length <= readableCredentialsBytesMax) return { name: credentialsName(credentials.digest), bytes: json };
  return { name: gzippedCredentialsName(credentials.digest), bytes: gzipSync(json) };
}

/** The same names for every revision: a proxy tells parts of two revisions apart by their hashes. */
function cut(bytes: Uint8Array, partBytesMax: number): PackedFile[] {
  const count = Math.ceil(bytes.length / partBytesMax);
  if (count > partsMax) {
    throw new ConfigTooLarge(
      `the configuration takes ${bytes.length} bytes compressed; ${partsMax} parts of ${partBytesMax} bytes are the most that can be published`,
    );
  }
  return Array.from({ length: count }, (_, number) => ({
    name: `config.json.gz.${number}`,
    bytes: bytes.subarray(number * partBytesMax, (number + 1) * partBytesMax),
  }));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
