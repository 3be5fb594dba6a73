// Credentials that are JSON, as clouds write their keys into files.

/** The members of a JSON object; undefined if the text is none. */
export function parseMembers(text: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as { readonly [name: string]: unknown })
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a member holds something. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
