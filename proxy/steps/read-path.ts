// What a method and a path say by themselves, before anything of the body is read. Pure, and so remembered: applications
// ask for the same few paths again and again.

import { ClientError } from '../canonical/client-error.ts';
import type { RouteProtocol } from '../config/schema.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { LocalMatch } from '../protocols/families.ts';
import {
  matchOperation,
  operationOf,
  type PathMatch,
  readSharedPath,
  relayOperation,
  withoutVendorPrefix,
} from '../protocols/operations.ts';
import { parsePath } from '../protocols/path.ts';
import type { Operation, ProtocolId } from '../protocols/protocol.ts';
import { claimPath, type PathClaim } from '../routing/resolve.ts';

/** What a path asks for. */
export type PathWish =
  /** Something that is answered here: of a route that has claimed the path, else of all of them. */
  | { readonly type: 'local'; readonly matches: readonly LocalMatch[]; readonly claim: PathClaim | undefined }
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
  if (claim !== undefined) return readClaimed(method, claim);
  const shared = readSharedPath(path);
  if (shared === undefined) throw new ClientError('route_not_found');
  const match = matchOperation(method, shared.rest, shared.families);
  if (match !== undefined) return toWish(match, undefined);
  // What else a server of Ollama's does is done to the server: to nobody's model.
  if (!shared.families.includes('openai') && !shared.families.includes('anthropic')) {
    throw new ClientError('route_not_found');
  }
  return { type: 'operation', operation: relayOperation(shared.rest), claim };
}

function toWish(match: PathMatch, claim: PathClaim | undefined): PathWish {
  if (match.type === 'method-not-allowed') throw new ClientError('method_not_allowed', { allow: match.allow });
  return { ...match, claim };
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

/** Below a route's own path everything that is not an operation of ours is the upstream's. */
function readClaimed(method: string, claim: PathClaim): PathWish {
  const { rest } = claim;
  if (rest === '' || rest === '/') return readBare(method, claim);
  const prefixed = withoutVendorPrefix(rest);
  const match = (prefixed && matchOperation(method, prefixed.rest, prefixed.families)) ?? matchOperation(method, rest);
  if (match === undefined || (match.type === 'local' && !isAnsweredHere(claim))) {
    return { type: 'operation', operation: relayOperation(rest), claim };
  }
  return toWish(match, claim);
}

/** A backend that a client insists on, and a route that names no models, leave it to the upstream to tell. */
function isAnsweredHere({ route, pin }: PathClaim): boolean {
  return pin === undefined && (route.config.models.some(({ type }) => type === 'Exact') || route.protocol === 'Ollama');
}

/** The route's path and nothing else is the operation of its protocol, or what its clients call the root. */
function readBare(method: string, claim: PathClaim): PathWish {
  const protocol = bareProtocols[claim.route.protocol];
  const operation = operationOf(protocol);
  if (operation === undefined) throw new ClientError('route_not_found');
  if (method === 'POST') return { type: 'operation', operation, claim };
  const root = protocol === 'ollama-chat' ? matchOperation(method, '', ['ollama']) : undefined;
  if (root?.type === 'local') return toWish(root, claim);
  throw new ClientError('method_not_allowed', { allow: 'POST' });
}

/** The protocol of a bare path. */
const bareProtocols: { readonly [protocol in RouteProtocol]: ProtocolId } = {
  OpenAIChat: 'openai-chat',
  OpenAICompletions: 'openai-completions',
  OpenAIResponses: 'openai-responses',
  OpenAIEmbeddings: 'openai-embeddings',
  AnthropicMessages: 'anthropic-messages',
  Ollama: 'ollama-chat',
};
