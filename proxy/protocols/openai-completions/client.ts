// The face towards clients that speak legacy completions.

import { createClientProtocol, encodeErrorChunk } from '../openai/client.ts';

/** Client face of `openai-completions`. */
export const openaiCompletionsClient = createClientProtocol({
  id: 'openai-completions',
  streaming: 'usage-on-request',
  encodeInBandError: encodeErrorChunk,
});
