// From the bytes of a watch to its events: one JSON object a line.
// https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes

import type { KubeObject } from '../kube/object.ts';

/** One event of a watch. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: KubeObject }
  | {
      readonly type: 'ERROR';
      readonly object: { readonly code?: number; readonly reason?: string; readonly metadata?: undefined };
    };

/** An object has at most 1.5 MiB in etcd; escaped as JSON it may be several times that. */
const lineBytesMax = 16 * 1024 * 1024;

const newline = 10;

/** Reads events as they come. Throws where a line is no event: what follows cannot be trusted either. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<WatchEvent> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const line = Buffer.concat([...held, chunk.subarray(start, end)]);
      held = [];
      heldBytes = 0;
      start = end + 1;
      if (line.length > 0) yield parseEvent(line);
    }
    if (start === chunk.length) continue;
    held.push(chunk.subarray(start));
    heldBytes += chunk.length - start;
    if (heldBytes > lineBytesMax) throw new Error(`a watch event is larger than ${lineBytesMax} bytes`);
  }
}

function parseEvent(line: Buffer): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line.toString('utf8'));
  } catch {
    // The parser's own message would quote the line, and the line may be a Secret.
    throw new Error('a watch event is not JSON');
  }
  const { type, object } = Object(event) as { readonly type?: unknown; readonly object?: unknown };
  const { metadata } = Object(object) as { readonly metadata?: unknown };
  if (typeof type !== 'string' || !isObject(object) || (type !== 'ERROR' && !isObject(metadata))) {
    throw new Error('a watch event has no type or no object');
  }
  return event as WatchEvent;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
