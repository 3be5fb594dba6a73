// The two ways in which the program ends early, each with its exit code; the message is the one line that says why.

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The program cannot start: exit code 1. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}
