// Puts a published configuration together again: index, parts, credentials. Knows files only by name, so that a mounted
// directory and a watched ConfigMap are read by the same code.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type ConfigIndex, configIndexSchema, credentialsName, indexName } from './schema.ts';

/** Unpacked, 2,000 routes and 5,000 keys are some 10 MB; more than this is not a configuration but an accident. */
const unpackedBytesMax = 128 * 1024 * 1024;

/** What the files came to. */
export type Published =
  | { readonly type: 'complete'; readonly index: ConfigIndex; readonly config: unknown; readonly credentials: unknown }
  /** Files that belong together are not all there yet: the Secret and each ConfigMap arrive in their own time. */
  | { readonly type: 'pending'; readonly index: ConfigIndex | undefined; readonly missing: string }
  | { readonly type: 'broken'; readonly index: ConfigIndex | undefined; readonly reason: string };

/** Reads files by name; undefined where there is none. */
export type ReadFile = (name: string) => Promise<Buffer | undefined>;

/** Reads what is published. `known` is the digest in force: if the index names it, nothing more is read. */
export async function readPublished(read: ReadFile, known: string | undefined): Promise<Published | undefined> {
  const indexBytes = await read(indexName);
  if (indexBytes === undefined) return { type: 'pending', index: undefined, missing: indexName };
  const index = parseIndex(indexBytes);
  if (typeof index === 'string') return { type: 'broken', index: undefined, reason: index };
  if (`${index.revision} ${index.digest}` === known) return undefined;
  const parts: Buffer[] = [];
  for (const { name, sha256 } of index.parts) {
    const part = await read(name);
    // A part of another revision is as good as none: its own will come.
    if (part === undefined || digestOf(part) !== sha256) return { type: 'pending', index, missing: name };
    parts.push(part);
  }
  const credentialsFile = credentialsName(index.credentialsDigest);
  const credentials = await read(credentialsFile);
  if (credentials === undefined) return { type: 'pending', index, missing: credentialsFile };
  try {
    const config: unknown = JSON.parse(unpack(Buffer.concat(parts), index.encoding));
    return { type: 'complete', index, config, credentials: JSON.parse(credentials.toString('utf8')) as unknown };
  } catch {
    // The error's own message would quote the text, and the text may be a credential.
    return { type: 'broken', index, reason: 'the configuration or its credentials cannot be unpacked as JSON' };
  }
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

function unpack(bytes: Buffer, encoding: ConfigIndex['encoding']): string {
  const unpacked = encoding === 'gzip' ? gunzipSync(bytes, { maxOutputLength: unpackedBytesMax }) : bytes;
  return unpacked.toString('utf8');
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
