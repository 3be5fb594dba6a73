// The secret behind an LLMKey, whoever made it, and who owns it where two keys have the same.

import type { LLMKey } from '../../crds/llm-key.ts';
import { notAccepted, notResolved, type Finding, type Report } from './diagnostic.ts';
import { digestOfKey } from './digest.ts';
import type { Facts } from './facts.ts';
import { type EntryRef, resolveSecretEntry } from './references.ts';

/** The entry of a generated Secret that holds the key. */
export const generatedEntry = 'key';

/** No header may be longer: 16 KiB is what servers take for all headers together. Longer client keys are not read. */
const lengthMax = { Upstream: 8192, Client: 4096 } as const;

/** The value of a key, or undefined with a report of why there is none. */
export function resolveMaterial(key: LLMKey, facts: Facts, report: Report): string | undefined {
  const { metadata, spec } = key;
  const { generate } = spec.client ?? {};
  const value =
    generate === undefined
      ? spec.secretRef && resolveSecretEntry(facts, metadata.namespace, spec.secretRef, 'spec.secretRef', report)
      : resolveGenerated(facts, metadata.namespace, generate.secretName, report);
  if (value === undefined || isSendable(value, lengthMax[spec.type])) return value;
  const message = `the key must be at most ${lengthMax[spec.type]} characters of ASCII on one line: it is sent in a header`;
  report(notResolved('SecretKeyMissing', materialField(key), message));
  return undefined;
}

/** A generated key is in order before it exists: it only cannot be used yet. */
function resolveGenerated(facts: Facts, namespace: string, name: string, report: Report): string | undefined {
  const ref: EntryRef = { name, key: generatedEntry };
  const problems: Finding[] = [];
  const value = resolveSecretEntry(facts, namespace, ref, '', (finding) => void problems.push(finding));
  for (const { message } of problems) {
    report({ condition: 'Usable', reason: 'Pending', field: 'spec.client.generate.secretName', message });
  }
  return value;
}

function isSendable(value: string, max: number): boolean {
  return value.length <= max && /^[\t\x20-\x7e]+$/.test(value);
}

function materialField({ spec }: LLMKey): string {
  return spec.secretRef === undefined ? 'spec.client.generate.secretName' : 'spec.secretRef';
}

/** Gives every secret to the first who asks for it. `scope`: where the same secret must not stand twice. */
export function createMaterialClaims(): (key: LLMKey, scope: string, value: string, report: Report) => boolean {
  const owners = new Set<string>();
  return (key, scope, value, report) => {
    const owner = `${scope} ${digestOfKey(value)}`;
    if (owners.size < owners.add(owner).size) return true;
    report(notAccepted('Conflicted', materialField(key), 'an older LLMKey already holds the same secret'));
    return false;
  };
}

/** Unix milliseconds of the end of a key; undefined = never. */
export function expiryOf({ spec }: LLMKey): number | undefined {
  return spec.expirationTime === undefined ? undefined : Date.parse(spec.expirationTime);
}

/** Says that a key is switched off or has ended. */
export function reportState(key: LLMKey, now: number, report: Report): void {
  const expiresAt = expiryOf(key);
  if (key.spec.state === 'Disabled') {
    report({ condition: 'Usable', reason: 'Disabled', field: 'spec.state', message: 'the key is switched off' });
  }
  if (expiresAt !== undefined && expiresAt <= now) {
    const message = `the key expired at ${key.spec.expirationTime}`;
    report({ condition: 'Usable', reason: 'Expired', field: 'spec.expirationTime', message });
  }
}
