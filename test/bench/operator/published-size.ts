// How large what the operator publishes is.

import { gunzipSync } from 'node:zlib';
import type { Rig } from './rig.ts';

/** Sizes in bytes. Of ConfigMaps and the Secret, what is counted is the values as they are stored. */
export interface PublishedSize {
  readonly configMaps: number;
  readonly configMapBytes: number;
  /** The configuration as JSON, unpacked. */
  readonly configBytes: number;
  readonly encoding: string;
  readonly secretBytes: number;
  readonly secretEntries: number;
}

interface Holder {
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Looks at the published objects. */
export async function measurePublished({ plane, installation: { namespace, className } }: Rig): Promise<PublishedSize> {
  const root = `/api/v1/namespaces/${namespace}`;
  const label = encodeURIComponent(`sluice.dev/class=${className}`);
  const { items } = await plane.request<{ readonly items: readonly Holder[] }>(
    'GET',
    `${root}/configmaps?labelSelector=${label}`,
  );
  const secret = await plane.request<Holder>('GET', `${root}/secrets/sluice-${className}-credentials`);
  const index = items.find(({ metadata }) => metadata.name === `sluice-${className}`);
  const { encoding, parts } = JSON.parse(index?.data?.['index.json'] ?? '') as {
    readonly encoding: string;
    readonly parts: readonly { readonly name: string }[];
  };
  const files = new Map(items.flatMap((item) => [...filesOf(item)]));
  const packed = Buffer.concat(parts.map(({ name }) => files.get(name) ?? Buffer.alloc(0)));
  const stored = (holders: readonly Holder[]): number =>
    holders.flatMap((holder) => [...filesOf(holder).values()]).reduce((sum, { length }) => sum + length, 0);
  const secretValues = Object.values(secret.data ?? {}).map((value) => Buffer.from(value, 'base64').length);
  return {
    configMaps: items.length,
    configMapBytes: stored(items),
    configBytes: (encoding === 'gzip' ? gunzipSync(packed) : packed).length,
    encoding,
    secretBytes: secretValues.reduce((sum, length) => sum + length, 0),
    secretEntries: secretValues.length,
  };
}

function filesOf({ data = {}, binaryData = {} }: Holder): ReadonlyMap<string, Buffer> {
  return new Map([
    ...Object.entries(data).map(([name, text]) => [name, Buffer.from(text)] as const),
    ...Object.entries(binaryData).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const),
  ]);
}
