// What a vendor says of a client's fault, for a client who speaks another vendor's protocol: the sentence is told, names
// and numbers that only the one protocol knows are not.

import { errorCatalogue, type ErrorCode } from '../canonical/client-error.ts';
import type { Failure, FailureClass } from '../canonical/failure.ts';

/** Faults that every protocol has a status for, whatever status this vendor has. */
const codes: { readonly [failureClass in FailureClass]?: ErrorCode } = {
  ContextLength: 'context_length_exceeded',
  ContentFilter: 'content_filter',
  TooLarge: 'request_too_large',
};

/** The same failure without its vendor's words, but for the sentence. */
export function inNeutralWords(failure: Failure): Failure {
  const { client } = failure;
  if (client === undefined) return failure;
  const code = codes[failure.class];
  const status = code === undefined ? client.status : errorCatalogue[code].status;
  return { ...failure, client: { status, message: client.message, code, type: undefined, param: undefined } };
}
