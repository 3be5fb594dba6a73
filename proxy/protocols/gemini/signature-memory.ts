// The signatures of the latest calls, for clients whose protocol or library has no place for them. A help, not a promise:
// another proxy remembers other calls, and a restart forgets all of them.

import type { Signature, SignatureMemory } from './signature.ts';

/** Calls that are remembered: an hour of one every second. */
const callsMax = 4096;
/** Characters of all signatures: they are a few hundred each, some are many thousand. */
const charsMax = 16 * 1024 * 1024;
/** A longer one is not remembered: it would push out too many others. */
const signatureCharsMax = 256 * 1024;

/** Remembers the most recently used. */
export function createSignatureMemory(
  limits: { readonly calls?: number; readonly chars?: number } = {},
): SignatureMemory {
  const { calls = callsMax, chars = charsMax } = limits;
  // In the order of their use: a Map keeps that of insertion.
  const signatures = new Map<string, Signature>();
  let held = 0;
  const forget = (callId: string): void => {
    held -= signatures.get(callId)?.value.length ?? 0;
    signatures.delete(callId);
  };
  return {
    remember(callId, signature) {
      if (signature.value.length > Math.min(signatureCharsMax, chars)) return;
      forget(callId);
      signatures.set(callId, signature);
      held += signature.value.length;
      for (const oldest of signatures.keys()) {
        if (signatures.size <= calls && held <= chars) return;
        forget(oldest);
      }
    },
    recall(callId) {
      const signature = signatures.get(callId);
      if (signature === undefined) return undefined;
      signatures.delete(callId);
      signatures.set(callId, signature);
      return signature;
    },
  };
}
