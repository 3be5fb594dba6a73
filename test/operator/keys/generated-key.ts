// A generated key and its Secret, as tests of the room need them.

import type { LLMKey } from '../../../crds/llm-key.ts';
import { parseResource } from '../../../crds/parse-resource.ts';
import type { StoredSecret } from '../../../operator/keys/key-reconciler.ts';

/** Everything happens around this time. */
export const now = Date.parse('2026-06-01T12:00:00Z');
/** An hour, in milliseconds. */
export const hour = 3_600_000;

/** RFC 3339, some time away from `now`. */
export function time(awayMs: number): string {
  return new Date(now + awayMs).toISOString();
}

/** How a key differs from one that is made once and for all. */
export interface KeyChanges {
  readonly rotation?: { readonly periodSeconds?: number; readonly overlapSeconds?: number };
  readonly prefix?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
  readonly uid?: string | undefined;
}

/** The LLMKey `team/shop`, whose Secret is called `shop-key`. */
export function generatedKey({ rotation, prefix, ...metadata }: KeyChanges = {}): LLMKey {
  const generate = { secretName: 'shop-key', ...(prefix === undefined ? {} : { prefix }) };
  const parsed = parseResource('LLMKey', {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'LLMKey',
    metadata: { name: 'shop', namespace: 'team', uid: 'uid-shop', ...metadata },
    spec: { type: 'Client', client: { generate, models: ['*'], ...(rotation === undefined ? {} : { rotation }) } },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.resource;
}

/** Its Secret, made an hour ago. */
export function generatedSecret(changes: Partial<StoredSecret> = {}): StoredSecret {
  return {
    namespace: 'team',
    name: 'shop-key',
    labels: { 'sluice.dev/credential': 'true' },
    annotations: { 'sluice.dev/made-at': time(-hour) },
    ownerUIDs: ['uid-shop'],
    data: { key: 'CANARY-current' },
    resourceVersion: '1',
    ...changes,
  };
}
