// Places in a JSON value.

/** From the root down. */
export type Path = readonly (string | number)[];

/** A copy with what is at `path` replaced; members on the way must be there, the last may be missing. */
export function replaceAt(value: unknown, [step, ...rest]: Path, replace: (old: unknown) => unknown): unknown {
  if (step === undefined) return replace(value);
  if (Array.isArray(value)) {
    return value.map((entry: unknown, index) => (index === step ? replaceAt(entry, rest, replace) : entry));
  }
  const members = value as Readonly<Record<string, unknown>>;
  return { ...members, [step]: replaceAt(members[step], rest, replace) };
}
