// What the rooms of the operator log with. Who composes the operator passes it in, and scrubs what is written.

/** Facts that go with a message. An `error` may be whatever was thrown. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A log. Messages are constant; what varies goes into the fields. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
