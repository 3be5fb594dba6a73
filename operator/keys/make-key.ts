// The text of a new client key.

/** 256 bits: nobody guesses them, and a digest of them needs no salt. */
export const keyBytes = 32;

/**
 * A key of random bytes, in base64url without padding: it fits a header, a URL and a shell. A prefix that does not end in
 * `-` or `_` is set off by a `-`.
 */
export function makeKey(prefix: string | undefined, bytes: Uint8Array): string {
  if (bytes.length < keyBytes) throw new Error(`a key needs ${keyBytes} random bytes`);
  const text = Buffer.from(bytes).toString('base64url');
  if (prefix === undefined) return text;
  return /[-_]$/.test(prefix) ? `${prefix}${text}` : `${prefix}-${text}`;
}
