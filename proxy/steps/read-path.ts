// What a method and a path say by themselves, before anything of the body is read. Pure, and so remembered: applications
// ask for the same few paths again and again.

import { ClientError } from '../canonical/client-error.ts';
import type { Route, Snapshot } from '../config/snapshot.ts';
import { matchOperation, operationOf, relayOperation, withoutSharedPrefix } from '../protocols/operations.ts';
import { parsePath } from '../protocols/path.ts';
import type { Operation, ProtocolId } from '../protocols/protocol.ts';
import { claimPath, type PathClaim } from '../routing/resolve.ts';

/** What a path asks for. */
export type PathWish =
  /** Names of models: all, or one. */
  | { readonly type: 'listing'; readonly model: string | undefined }
  /** An operation: of the route that has claimed the path, else of whichever has the model. */
  | { readonly type: 'operation'; readonly operation: Operation; readonly claim: PathClaim | undefined };

/** Reads a path. Throws ClientError. */
export type ReadPath = (method: string, path: string, snapshot: Snapshot) => PathWish;

/** Paths that are remembered: an application uses a handful; what clients invent must not fill memory. */
const pathsMax = 1_000;
/** Longer paths are nobody's habit. */
const pathCharsMax = 256;

/** Reads a path by the rules alone. */
export function readPath(method: string, rawPath: string, snapshot: Snapshot): PathWish {
  // A trailing slash counts for nothing; everything after this reads the path as it is put together here.
  const path = `/${parsePath(rawPath).join('/')}`;
  const claim = claimPath(snapshot, path);
  if (claim !== undefined) return { type: 'operation', operation: claimedOperation(method, claim), claim };
  const rest = withoutSharedPrefix(path);
  if (rest === undefined) throw new ClientError('route_not_found');
  const match = matchOperation(method, rest);
  if (match?.type === 'method-not-allowed') throw new ClientError('method_not_allowed', { allow: match.allow });
  if (match?.type === 'models') return { type: 'listing', model: undefined };
  if (match?.type === 'model') return { type: 'listing', model: match.id };
  return { type: 'operation', operation: match?.operation ?? relayOperation(rest), claim };
}

/** A reader that remembers what it has read with the current snapshot. */
export function createPathReader(): ReadPath {
  const known = new Map<string, PathWish>();
  let current: Snapshot | undefined;
  return (method, path, snapshot) => {
    if (snapshot !== current) {
      known.clear();
      current = snapshot;
    }
    const key = `${method} ${path}`;
    let wish = known.get(key);
    if (wish === undefined) {
      wish = readPath(method, path, snapshot);
      if (known.size >= pathsMax) known.clear();
      if (path.length <= pathCharsMax) known.set(key, wish);
    }
    return wish;
  };
}

/** Below a route's own path everything that is not an operation of ours is the upstream's, model listings too. */
function claimedOperation(method: string, { route, rest }: PathClaim): Operation {
  if (rest === '' || rest === '/') {
    if (method !== 'POST') throw new ClientError('method_not_allowed', { allow: 'POST' });
    return operationOf(bareProtocol(route));
  }
  const match = matchOperation(method, rest);
  if (match?.type === 'method-not-allowed') throw new ClientError('method_not_allowed', { allow: match.allow });
  return match?.type === 'operation' ? match.operation : relayOperation(rest);
}

/** The protocol of the route's bare path. */
function bareProtocol(route: Route): Exclude<ProtocolId, 'relay'> {
  switch (route.protocol) {
    case 'OpenAIChat':
      return 'openai-chat';
    case 'OpenAICompletions':
      return 'openai-completions';
    case 'OpenAIResponses':
      return 'openai-responses';
    case 'OpenAIEmbeddings':
      return 'openai-embeddings';
    case 'AnthropicMessages':
    case 'Ollama':
      throw new ClientError('route_not_found');
  }
}
