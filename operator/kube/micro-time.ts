// Times as Lease and Event have them.

/** `metav1.MicroTime`: RFC 3339 with exactly six digits of the second. The API server refuses three. */
export function toMicroTime(unixMs: number): string {
  return new Date(unixMs).toISOString().replace('Z', '000Z');
}
