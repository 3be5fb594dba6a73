// A log that can be read.

/** A log that keeps its lines. */
export function createKeptLog() {
  const lines: string[] = [];
  const keep = (_fields: object, message: string) => void lines.push(message);
  return { lines, info: keep, warn: keep };
}
