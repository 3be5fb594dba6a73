// What happens to a collection of the API server, seen by its administrator. Of its own, and not the operator's: what is
// measured must not say itself when it happened.

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { ControlPlaneClient } from '../../cluster/client.ts';

/** An object, as far as every kind has it. */
export interface SeenObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly resourceVersion: string;
  };
  readonly [member: string]: unknown;
}

/** Called with each object as it becomes known, and when that was (Unix milliseconds). */
export type OnObject = (object: SeenObject, atMs: number) => void;

/** Objects a page. */
const pageSize = 500;
const retryMs = 200;

interface ObjectList {
  readonly kind: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly SeenObject[];
}

/**
 * Lists a collection and watches it until the signal is aborted. Resolves when the watch is open. Where it ends it is listed
 * and watched anew: an API server that has just learnt of a kind ends its watches once or twice. `path` may have a query.
 */
export async function watchCollection(
  plane: ControlPlaneClient,
  path: string,
  { onObject, signal }: { readonly onObject: OnObject; readonly signal: AbortSignal },
): Promise<void> {
  const agent = new Agent({ connect: { ca: readFileSync(plane.caFile) }, bodyTimeout: 0 });
  const begin = async (): Promise<AsyncIterable<Buffer>> => {
    const from = await list(plane, path, onObject);
    const watch = withQuery(path, `watch=true&resourceVersion=${from}&timeoutSeconds=86400`);
    return open(plane, watch, { agent, signal });
  };
  let body = await begin();
  const follow = async (): Promise<never> => {
    for (;;) {
      await readEvents(body, onObject);
      body = await begin();
    }
  };
  void follow().catch((error: unknown) => {
    // Nothing could be said any more about when anything happened.
    if (!signal.aborted) queueMicrotask(() => fail(path, error));
  });
}

async function open(
  plane: ControlPlaneClient,
  path: string,
  { agent, signal }: { readonly agent: Agent; readonly signal: AbortSignal },
): Promise<AsyncIterable<Buffer>> {
  for (;;) {
    const headers = { authorization: `Bearer ${plane.adminToken}` };
    const { statusCode, body } = await request(`${plane.url}${path}`, { dispatcher: agent, headers, signal });
    if (statusCode === 200) return body;
    const text = await body.text();
    // The API server has just learnt of the kind, and its cache is not filled yet.
    if (statusCode !== 429) throw new Error(`watching ${path}: ${statusCode} ${text}`);
    await delay(retryMs);
  }
}

function fail(path: string, error: unknown): never {
  throw new Error(`the watch of ${path} broke`, { cause: error });
}

async function list(plane: ControlPlaneClient, path: string, onObject: OnObject): Promise<string> {
  let next = '';
  for (;;) {
    const page: ObjectList = await plane.request('GET', withQuery(path, `limit=${pageSize}&continue=${next}`));
    const kind = page.kind.replace(/List$/, '');
    for (const item of page.items) onObject({ ...item, kind }, Date.now());
    next = encodeURIComponent(page.metadata.continue ?? '');
    if (next === '') return page.metadata.resourceVersion;
  }
}

function withQuery(path: string, query: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}

async function readEvents(body: AsyncIterable<Buffer>, onObject: OnObject): Promise<void> {
  let parts: Buffer[] = [];
  for await (const chunk of body) {
    const atMs = Date.now();
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      take(Buffer.concat([...parts, chunk.subarray(start, end)]), onObject, atMs);
      parts = [];
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
  }
}

function take(line: Buffer, onObject: OnObject, atMs: number): void {
  const { type, object } = JSON.parse(line.toString()) as { readonly type: string; readonly object: SeenObject };
  if (type === 'ERROR') throw new Error(line.toString());
  if (type === 'ADDED' || type === 'MODIFIED') onObject(object, atMs);
}
