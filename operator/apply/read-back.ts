// What is published at present, read back from the objects that hold it: an operator that has just started knows nothing
// else of what its proxies serve.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import {
  type ConfigIndex,
  configIndexSchema,
  type Credentials,
  credentialsName,
  credentialsSchema,
  gatewayConfigSchema,
  type GatewayConfig,
  gzippedCredentialsName,
  indexName,
  partHolder,
} from '../../proxy/config/schema.ts';
import type { Output, OutputNames } from '../watch/output.ts';

/** Unpacked, no configuration that fits into nine objects is larger. */
const unpackedBytesMax = 128 * 1024 * 1024;

/** Finds published objects by name. */
export interface PublishedObjects {
  readonly configMap: (name: string) => Output | undefined;
  readonly secret: () => Output | undefined;
}

/** The index as it is published; undefined if there is none that makes sense. */
export function readIndex(names: OutputNames, { configMap }: PublishedObjects): ConfigIndex | undefined {
  return parseIndex(configMap(names.index)?.data[indexName]);
}

/** The index in a text; undefined if it is none. */
export function parseIndex(text: string | undefined): ConfigIndex | undefined {
  return configIndexSchema.safeParse(parse(text)).data;
}

/** Bytes of the parts that an index names; undefined if any is missing, or is another than the index says. */
export function readParts(names: OutputNames, objects: PublishedObjects, index: ConfigIndex): Buffer | undefined {
  const parts: Buffer[] = [];
  for (const [number, { name, sha256 }] of index.parts.entries()) {
    const part = readFile(objects.configMap(partHolder(names.index, number)), name);
    if (part === undefined || createHash('sha256').update(part).digest('hex') !== sha256) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The configuration in some parts; undefined if it is none (any more). */
export function parseConfig(bytes: Buffer, { encoding }: ConfigIndex): GatewayConfig | undefined {
  return gatewayConfigSchema.safeParse(parse(encoding === 'gzip' ? unzip(bytes) : bytes.toString('utf8'))).data;
}

/** The credentials of a digest, as far as they are still there. */
export function readCredentials(digest: string, { secret }: PublishedObjects): Credentials | undefined {
  const held = secret()?.data ?? {};
  const plain = held[credentialsName(digest)];
  const gzipped = held[gzippedCredentialsName(digest)];
  const text = plain === undefined ? gzipped && unzip(fromBase64(gzipped)) : fromBase64(plain).toString('utf8');
  return text === undefined ? undefined : credentialsSchema.safeParse(parse(text)).data;
}

function readFile(holder: Output | undefined, name: string): Buffer | undefined {
  const text = holder?.data[name];
  if (text !== undefined) return Buffer.from(text);
  const binary = holder?.binaryData[name];
  return binary === undefined ? undefined : fromBase64(binary);
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}

function unzip(bytes: Buffer): string | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: unpackedBytesMax }).toString('utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
