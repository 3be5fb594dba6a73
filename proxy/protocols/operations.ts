// Which operation a method and a path name. Paths are those that `parsePath` has let through, without the prefix of a
// route: `/v1/chat/completions`, or '' where nothing is left.

import { modelId } from './path.ts';
import type { Operation, ProtocolId } from './protocol.ts';

/** What a request asks for. */
export type PathMatch =
  | { readonly type: 'operation'; readonly operation: Operation }
  | { readonly type: 'models' }
  | { readonly type: 'model'; readonly id: string }
  /** The path exists, for other methods: `allow` is the header's value. */
  | { readonly type: 'method-not-allowed'; readonly allow: string };

const operations: readonly Operation[] = [
  { protocol: 'openai-chat', path: '/chat/completions' },
  { protocol: 'openai-completions', path: '/completions' },
  { protocol: 'openai-responses', path: '/responses' },
  { protocol: 'openai-embeddings', path: '/embeddings' },
];

const byPath = new Map(operations.map((operation) => [operation.path, operation]));
const byProtocol = new Map(operations.map((operation) => [operation.protocol, operation]));

/** The operation of a protocol: what a bare path means on a route of that protocol. */
export function operationOf(protocol: Exclude<ProtocolId, 'relay'>): Operation {
  const operation = byProtocol.get(protocol);
  if (operation === undefined) throw new Error(`the protocol ${protocol} has no operation`);
  return operation;
}

/**
 * What a method and a path ask for, with or without a leading `v1`; undefined if the path is none of ours, or nothing is
 * left of it. Letter case counts for nothing, because it does not for some upstreams: what was taken for an unknown
 * operation here must not be a known one there.
 */
export function matchOperation(method: string, path: string): PathMatch | undefined {
  const segments = withoutVersion(split(path));
  const operation = byPath.get(`/${segments.join('/').toLowerCase()}`);
  if (operation !== undefined) {
    return method === 'POST' ? { type: 'operation', operation } : { type: 'method-not-allowed', allow: 'POST' };
  }
  if (segments[0]?.toLowerCase() !== 'models') return undefined;
  // Some clients leave the slashes of an id as they are.
  const id = modelId(segments.slice(1).join('/'));
  if (segments.length > 1 && id === undefined) return undefined;
  if (method !== 'GET' && method !== 'HEAD') return { type: 'method-not-allowed', allow: 'GET, HEAD' };
  return segments.length === 1 || id === undefined ? { type: 'models' } : { type: 'model', id };
}

/**
 * Whether the model that a request's body names is the model that it will use. Of operations that we do not know only
 * those that their vendors document so: any other could be named a harmless model and use another.
 * https://platform.openai.com/docs/api-reference
 */
export function usesNamedModel({ protocol, path }: Operation): boolean {
  return protocol !== 'relay' || modelPaths.has(path);
}

const modelPaths: ReadonlySet<string> = new Set(['/images/generations', '/audio/speech', '/moderations']);

/** Any other operation, to be passed on unread. */
export function relayOperation(path: string): Operation {
  return { protocol: 'relay', path: `/${withoutVersion(split(path)).join('/')}` };
}

/** What follows the prefix of the shared paths (`/v1`, `/openai`, `/openai/v1`); undefined if there is none. */
export function withoutSharedPrefix(path: string): string | undefined {
  const segments = split(path);
  const first = segments[0]?.toLowerCase();
  if (first !== 'v1' && first !== 'openai') return undefined;
  const rest = first === 'v1' ? segments.slice(1) : withoutVersion(segments.slice(1));
  return rest.length === 0 ? '' : `/${rest.join('/')}`;
}

function split(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function withoutVersion(segments: readonly string[]): readonly string[] {
  return segments[0]?.toLowerCase() === 'v1' ? segments.slice(1) : segments;
}
