// Where text for people goes. The log of the gateway has a way of its own.

/** Two ways out, line by line. */
export interface Terminal {
  /** What was asked for. */
  readonly print: (line: string) => void;
  /** What a person should know besides. */
  readonly warn: (line: string) => void;
}
