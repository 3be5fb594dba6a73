// The face towards clients that speak chat completions.

import { createClientProtocol, encodeErrorChunk } from '../openai/client.ts';

/** Client face of `openai-chat`. */
export const openaiChatClient = createClientProtocol({
  id: 'openai-chat',
  streaming: 'usage-on-request',
  encodeInBandError: encodeErrorChunk,
});
