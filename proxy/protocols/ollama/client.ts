// The faces towards clients of Ollama: streams unless they say otherwise, and errors that are one string.

import type { ClientError, ErrorCode } from '../../canonical/client-error.ts';
import { encodeError } from '../openai/error-body.ts';
import { peekBody } from '../openai/peek.ts';
import type { ClientProtocol, Peek } from '../protocol.ts';

/** The operations of this API that have bodies of their own. */
export type OllamaProtocolId = 'ollama-chat' | 'ollama-generate' | 'ollama-embed' | 'ollama-embeddings';

/** Client face of `ollama-chat`. */
export const ollamaChatClient = createClient('ollama-chat', peekStreamed);
/** Client face of `ollama-generate`. */
export const ollamaGenerateClient = createClient('ollama-generate', peekStreamed);
/** Client face of `ollama-embed`, which is never streamed. */
export const ollamaEmbedClient = createClient('ollama-embed', peekWhole);
/** Client face of `ollama-embeddings`, which is never streamed. */
export const ollamaEmbeddingsClient = createClient('ollama-embeddings', peekWhole);

function createClient(id: OllamaProtocolId, peek: (body: Buffer) => Peek): ClientProtocol {
  return {
    id,
    peek,
    encodeError(error, requestId, model) {
      const body = Buffer.from(JSON.stringify({ error: toWords(error, model) }));
      return { ...encodeError(error, requestId), body };
    },
    encodeInBandError: (error) => Buffer.from(`${JSON.stringify({ error: error.message })}\n`),
    streamType: 'application/x-ndjson',
    // Lines have no comments: the official JavaScript client warns of blank ones, others fail.
    keepAlive: undefined,
  };
}

/** Without `stream` the server streams; the official JavaScript client always sends it. */
function peekStreamed(body: Buffer): Peek {
  const peek = peekBody(body, 'with-usage');
  const stream = peek.members.find(({ name }) => name === 'stream');
  const absent = stream === undefined || body.toString('latin1', stream.valueStart, stream.valueEnd) === 'null';
  return absent ? { ...peek, stream: true } : peek;
}

function peekWhole(body: Buffer): Peek {
  return peekBody(body, 'never');
}

const missingModel: ReadonlySet<ErrorCode> = new Set(['model_not_found', 'route_not_found']);

/** Clients look for these words to find out that a model has to be pulled. */
function toWords(error: ClientError, model: string | undefined): string {
  const named = error.upstream === undefined && missingModel.has(error.code) && model !== undefined;
  return named ? `model '${model}' not found` : error.message;
}
