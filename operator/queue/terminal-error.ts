// The failure that no retry mends.

/** Thrown by a reconcile that must not be tried again before something changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}
