// The face towards clients that speak responses.

import type { ClientError } from '../../canonical/client-error.ts';
import { createClientProtocol } from '../openai/client.ts';
import { toWireError } from '../openai/error-body.ts';

/** Client face of `openai-responses`. */
export const openaiResponsesClient = createClientProtocol({
  id: 'openai-responses',
  streaming: 'with-usage',
  encodeInBandError: encodeErrorEvent,
});

/**
 * The protocol's own `error` event. It also carries the error the way chat does, because version 6 of the official
 * client throws only on a member `error` and would otherwise take the cut stream for a short answer.
 */
function encodeErrorEvent(error: ClientError, _requestId: string, nextSequence = 0): Buffer {
  const wire = toWireError(error);
  const { code, message, param } = wire;
  const event = { type: 'error', code, message, param, sequence_number: nextSequence, error: wire };
  return Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`);
}
