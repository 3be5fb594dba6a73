// A log of the operator that can be read.

import type { Log, LogFields } from '../../../operator/log.ts';

/** One line of a log. */
export interface LogLine extends LogFields {
  readonly level: keyof Log;
  readonly message: string;
}

/** A log that keeps its lines. */
export function createKeptLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const keep =
    (level: keyof Log) =>
    (fields: LogFields, message: string): void =>
      void lines.push({ ...fields, level, message });
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
