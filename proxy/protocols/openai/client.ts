// What the client faces of the OpenAI family have in common.

import type { ClientError } from '../../canonical/client-error.ts';
import type { ClientProtocol, ProtocolId } from '../protocol.ts';
import { encodeError, toWireError } from './error-body.ts';
import { peekBody, type Streaming } from './peek.ts';

/** A comment: every client ignores it. Never an `id:` line, which openai-python up to 2.37 crashes on. */
const keepAlive = Buffer.from(': keep-alive\n\n');

/** Builds the client face of one protocol of the family. */
export function createClientProtocol(options: {
  readonly id: ProtocolId;
  readonly streaming: Streaming;
  /** How an error is said inside a stream, if it can be. */
  readonly encodeInBandError?: ClientProtocol['encodeInBandError'];
}): ClientProtocol {
  return {
    id: options.id,
    peek: (body) => peekBody(body, options.streaming),
    encodeError,
    encodeInBandError: options.encodeInBandError ?? (() => undefined),
    streamType: 'text/event-stream',
    keepAlive: options.streaming === 'never' ? undefined : keepAlive,
  };
}

/** An error inside a stream of chunks: the official client throws on `error`. No `[DONE]` follows. */
export function encodeErrorChunk(error: ClientError): Buffer {
  return Buffer.from(`data: ${JSON.stringify({ error: toWireError(error) })}\n\n`);
}
