// What only an upstream of this protocol can do.

import { ClientError } from '../../canonical/client-error.ts';

/** The error for a parameter that no other protocol has a word for; named as the official client shows it. */
export function refused(param: string, why = 'is not supported by the backends of this model.'): ClientError {
  const message = `${param} ${why}`;
  const upstream = { status: 400, message, code: 'unsupported_parameter', type: undefined, param };
  return new ClientError('invalid_request', { upstream });
}
