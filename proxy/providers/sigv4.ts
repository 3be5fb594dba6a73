// How AWS is shown who asks: an API key as it is, or a signature of the finished request by a pair of keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';

import { ClientError } from '../canonical/client-error.ts';
import type { AwsKeys } from './aws-keys.ts';
import { isText, parseMembers } from './json-credential.ts';
import type { FinishedRequest, SignedHeaders, SigningFacts } from './provider-kind.ts';

/** What a Secret holds for AWS. */
export type AwsCredentials = AwsKeys | { readonly type: 'api-key'; readonly key: string };

/** Reads the value of a Secret: JSON with a pair of keys, or else an API key. Undefined if it is JSON without them. */
export function readAwsCredentials(secret: string): AwsCredentials | undefined {
  const text = secret.trim();
  if (!text.startsWith('{')) return text === '' ? undefined : { type: 'api-key', key: text };
  const { accessKeyId, secretAccessKey, sessionToken } = parseMembers(text) ?? {};
  if (!isText(accessKeyId) || !isText(secretAccessKey)) return undefined;
  return { type: 'keys', accessKeyId, secretAccessKey, ...(isText(sessionToken) && { sessionToken }) };
}

/**
 * The headers that prove to Bedrock who asks: `ProviderKind.sign` of that vendor. Throws ClientError where there are no
 * credentials that it could be done with.
 */
export async function signForBedrock(request: FinishedRequest, facts: SigningFacts): Promise<SignedHeaders> {
  const { config, credential, identity, nowMs } = facts;
  const { type } = config.credentials;
  if (type === 'None') return {};
  const credentials = credential === undefined ? undefined : readAwsCredentials(credential);
  const region = config.bedrock?.region;
  if (type === 'Workload' && region !== undefined) {
    return signRequest(request, { credentials: await identity.awsKeys(region), region, nowMs });
  }
  if (credentials?.type === 'api-key') return { authorization: `Bearer ${credentials.key}` };
  // A client shows an API key; what looks like a pair of keys in its header is none of ours to sign with.
  if (credentials === undefined || region === undefined || type === 'Passthrough')
    throw new ClientError('upstream_auth_failed');
  return signRequest(request, { credentials, region, nowMs });
}

/** What a signature depends on beside the request. */
export interface Signing {
  readonly credentials: AwsKeys;
  readonly region: string;
  readonly nowMs: number;
}

/** What Bedrock's requests are signed for, whatever its host is called. */
const service = 'bedrock';

/**
 * Signs a request, whose path has the model encoded once, as it will go out; what is signed has it encoded once more.
 * Only headers that nobody adds to or changes on the way are signed. AWS's own signer is loaded with the first request:
 * it takes 15 MB, and most proxies never need it.
 */
export async function signRequest(
  request: FinishedRequest,
  { credentials, region, nowMs }: Signing,
): Promise<SignedHeaders> {
  const { SignatureV4 } = await import('@smithy/signature-v4');
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256 });
  const { protocol, hostname, host, port } = new URL(request.origin);
  const [path = '', query = ''] = request.path.split('?', 2);
  const contentType = request.headers['content-type'];
  const headers = { host, ...(contentType !== undefined && { 'content-type': contentType }) };
  const signed = await signer.sign(
    {
      method: request.method,
      protocol,
      hostname,
      ...(port !== '' && { port: Number(port) }),
      path,
      query: queryOf(query),
      headers,
      body: request.body ?? '',
    },
    { signingDate: new Date(nowMs) },
  );
  return Object.fromEntries(Object.entries(signed.headers).filter(([name]) => !Object.hasOwn(headers, name)));
}

function queryOf(query: string): Record<string, string[]> {
  const members: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(query)) (members[name] ??= []).push(value);
  return members;
}

/** SHA-256, with a secret or without, as the signer wants it. */
class Sha256 {
  readonly #secret: string | Uint8Array | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? undefined : toBytes(secret);
    this.#hash = this.#begin();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
