// The face towards clients that ask for embeddings, which are never streamed.

import { createClientProtocol } from '../openai/client.ts';

/** Client face of `openai-embeddings`. */
export const openaiEmbeddingsClient = createClientProtocol({ id: 'openai-embeddings', streaming: 'never' });
