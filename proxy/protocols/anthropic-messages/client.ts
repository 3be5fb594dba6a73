// The faces towards clients that speak Anthropic's messages, or only count their tokens.

import type { ClientProtocol } from '../protocol.ts';
import { peekBody } from '../openai/peek.ts';
import { encodeError, toWireError } from './error-body.ts';
import { encodeEvent, encodeFrame } from './wire.ts';

/** Client face of `anthropic-messages`. */
export const anthropicMessagesClient: ClientProtocol = {
  id: 'anthropic-messages',
  peek: (body) => peekBody(body, 'with-usage'),
  encodeError,
  requestIdHeader: 'request-id',
  encodeInBandError: (error, requestId) =>
    Buffer.from(encodeFrame('error', JSON.stringify(toWireError(error, requestId)))),
  streamType: 'text/event-stream',
  // Clients that time parsed events do not see comments.
  keepAlive: Buffer.from(encodeEvent({ type: 'ping' })),
};

/** Client face of `anthropic-count-tokens`. */
export const anthropicCountTokensClient: ClientProtocol = {
  ...anthropicMessagesClient,
  id: 'anthropic-count-tokens',
  peek: (body) => peekBody(body, 'never'),
  encodeInBandError: () => undefined,
  keepAlive: undefined,
};
