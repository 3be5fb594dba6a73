// Puts a published configuration together again: index, parts, credentials. Knows files only by name, so that a mounted
// directory and a watched ConfigMap are read by the same code.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type ConfigIndex, configIndexSchema, credentialsName, gzippedCredentialsName, indexName } from './schema.ts';

/** Unpacked, 2,000 routes and 5,000 keys are some 10 MB; more than this is not a configuration but an accident. */
const unpackedBytesMax = 128 * 1024 * 1024;
/** Credentials of 5,000 keys are less than 1 MB. */
const credentialsBytesMax = 32 * 1024 * 1024;

/** What the files came to. */
export type Published =
  | { readonly type: 'complete'; readonly index: ConfigIndex; readonly config: unknown; readonly credentials: unknown }
  /** Files that belong together are not all there yet: the Secret and each ConfigMap arrive in their own time. */
  | { readonly type: 'pending'; readonly index: ConfigIndex | undefined; readonly missing: string }
  | { readonly type: 'broken'; readonly index: ConfigIndex | undefined; readonly reason: string };

/** Reads files by name; undefined where there is none. `part` is which part the file is, undefined if it is none. */
export type ReadFile = (name: string, part?: number) => Promise<Buffer | undefined>;

/** Reads what is published. Undefined where the index names what is known already: then nothing more is read. */
export async function readPublished(
  read: ReadFile,
  isKnown: (index: ConfigIndex) => boolean,
): Promise<Published | undefined> {
  const indexBytes = await read(indexName);
  if (indexBytes === undefined) return { type: 'pending', index: undefined, missing: indexName };
  const index = parseIndex(indexBytes);
  if (typeof index === 'string') return { type: 'broken', index: undefined, reason: index };
  if (isKnown(index)) return undefined;
  // First what tells soonest that something is missing: parts may have to be fetched.
  const credentials = await readCredentials(read, index.credentialsDigest);
  if (credentials === undefined) return { type: 'pending', index, missing: credentialsName(index.credentialsDigest) };
  const parts: Buffer[] = [];
  for (const [number, { name, sha256 }] of index.parts.entries()) {
    const part = await read(name, number);
    // A part of another revision is as good as none: its own will come.
    if (part === undefined || digestOf(part) !== sha256) return { type: 'pending', index, missing: name };
    parts.push(part);
  }
  try {
    const config = unpack(Buffer.concat(parts), index.encoding, unpackedBytesMax);
    return {
      type: 'complete',
      index,
      config,
      credentials: unpack(credentials.bytes, credentials.encoding, credentialsBytesMax),
    };
  } catch {
    // The error's own message would quote the text, and the text may be a credential.
    return { type: 'broken', index, reason: 'the configuration or its credentials cannot be unpacked as JSON' };
  }
}

type Encoding = ConfigIndex['encoding'];

async function readCredentials(
  read: ReadFile,
  digest: string,
): Promise<{ readonly bytes: Buffer; readonly encoding: Encoding } | undefined> {
  const plain = await read(credentialsName(digest));
  if (plain !== undefined) return { bytes: plain, encoding: 'json' };
  const gzipped = await read(gzippedCredentialsName(digest));
  return gzipped === undefined ? undefined : { bytes: gzipped, encoding: 'gzip' };
}

function parseIndex(bytes: Buffer): ConfigIndex | string {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return `${indexName} is not JSON`;
  }
  const parsed = configIndexSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.map((issue) => `${indexName}: ${issue.path.join('.')}: ${issue.message}`).join('; ');
}

function unpack(bytes: Buffer, encoding: Encoding, bytesMax: number): unknown {
  const unpacked = encoding === 'gzip' ? gunzipSync(bytes, { maxOutputLength: bytesMax }) : bytes;
  return JSON.parse(unpacked.toString('utf8'));
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
