// The fingerprint of a configuration: equal content gives an equal digest, in whatever order it was put together.

import { hash } from 'node:crypto';

/** SHA-256 (hex) over the canonical JSON of a value. */
export function digestOf(value: unknown): string {
  return hash('sha256', canonicalJSON(value), 'hex');
}

/** SHA-256 (hex) of a client key: all that the proxies ever learn of it. */
export function digestOfKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** JSON with sorted members and without those that are undefined. */
export function canonicalJSON(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJSON).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  let members = '';
  for (const name of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, name);
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJSON(member)}`;
  }
  return `{${members}}`;
}
