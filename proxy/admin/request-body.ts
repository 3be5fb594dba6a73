// Reads the small JSON bodies of the admin port.

import type { IncomingMessage } from 'node:http';
import { AdminError } from './admin-error.ts';

/** 4 KiB: the largest body that means anything here has one number in it. */
const bodyBytesMax = 4096;

/**
 * The parsed body, or undefined if there is none. What a form of a foreign page could send (any content type but JSON)
 * is refused even when it is empty.
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = request.headers;
  if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) throw new AdminError('unsupported_media_type');
  if (encoding !== undefined) throw new AdminError('unsupported_media_type', 'The body must not be encoded.');
  if (Number(length ?? 0) > bodyBytesMax) throw new AdminError('body_too_large');
  const body = await readBytes(request);
  if (body.length === 0) return undefined;
  if (type === undefined) throw new AdminError('unsupported_media_type');
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new AdminError('invalid_body', 'The body is not valid JSON.');
  }
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not destroyed when left early: the refusal still has to go out on the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new AdminError('body_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
