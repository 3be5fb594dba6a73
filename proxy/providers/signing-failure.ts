// Why a request could not be shown to be ours.

import type { FailureSignal } from '../canonical/failure.ts';

/** A token could not be got for a credential. Whether that is the credential's fault the signal tells. */
export class SigningFailure extends Error {
  override readonly name = 'SigningFailure';
  readonly signal: FailureSignal;

  constructor(message: string, signal: FailureSignal) {
    super(message);
    this.signal = signal;
  }
}

/** The credential itself is refused, or cannot be read: reads as if the upstream had said so. */
export function refusedCredential(message: string): SigningFailure {
  const body = JSON.stringify({ error: { message, type: 'authentication_error' } });
  return new SigningFailure(message, { type: 'answer', status: 401, headers: {}, body });
}
