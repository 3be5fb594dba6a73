// Which operation a method and a path name. Paths are those that `parsePath` has let through, without the prefix of a
// route: `/v1/chat/completions`, or '' where nothing is left.

import { type ProtocolFamily, type LocalMatch, localOperations } from './families.ts';
import { modelId } from './path.ts';
import type { Operation, ProtocolId, UpstreamOperation, UpstreamProtocolId } from './protocol.ts';
import { protocolIds } from './registry.ts';

/** What a request asks for. */
export type PathMatch =
  | { readonly type: 'operation'; readonly operation: Operation }
  /** Answered here; of several, one for each family that has the path, the request's headers tell which. */
  | { readonly type: 'local'; readonly matches: readonly LocalMatch[] }
  /** The path exists, for other methods: `allow` is the header's value. */
  | { readonly type: 'method-not-allowed'; readonly allow: string };

interface FamilyOperation extends Operation {
  readonly family: ProtocolFamily;
}

const operations: readonly FamilyOperation[] = [
  { family: 'openai', protocol: 'openai-chat', path: '/chat/completions' },
  { family: 'openai', protocol: 'openai-completions', path: '/completions' },
  { family: 'openai', protocol: 'openai-responses', path: '/responses' },
  { family: 'openai', protocol: 'openai-embeddings', path: '/embeddings' },
  { family: 'anthropic', protocol: 'anthropic-messages', path: '/messages' },
  { family: 'anthropic', protocol: 'anthropic-count-tokens', path: '/messages/count_tokens' },
  { family: 'ollama', protocol: 'ollama-chat', path: '/api/chat' },
  { family: 'ollama', protocol: 'ollama-generate', path: '/api/generate' },
  { family: 'ollama', protocol: 'ollama-embed', path: '/api/embed' },
  { family: 'ollama', protocol: 'ollama-embeddings', path: '/api/embeddings' },
];

const paths = new Map<UpstreamProtocolId | 'relay', string>(operations.map(({ protocol, path }) => [protocol, path]));
/** Those that there is code for. */
const byPath = new Map(
  operations
    .filter(({ protocol }) => protocolIds.includes(protocol))
    .map(({ family, protocol, path }) => [path, { family, operation: { protocol, path } as Operation }]),
);

/** The operation of a protocol: what a bare path means on a route of that protocol; undefined if there is none yet. */
export function operationOf(protocol: ProtocolId): Operation | undefined {
  return byPath.get(paths.get(protocol) ?? '')?.operation;
}

/** The operation of a protocol as upstreams have it. */
export function upstreamOperation(protocol: UpstreamProtocolId): UpstreamOperation {
  return { protocol, path: paths.get(protocol) ?? '' };
}

/**
 * What a method and a path ask for, with or without a leading `v1`; undefined if the path is none of ours, or nothing is
 * left of it. Letter case counts for nothing, because it does not for some upstreams: what was taken for an unknown
 * operation here must not be a known one there. `families`: whose paths are looked at.
 */
export function matchOperation(
  method: string,
  path: string,
  families: readonly ProtocolFamily[] = ['openai', 'anthropic', 'ollama'],
): PathMatch | undefined {
  const segments = withoutVersion(split(path));
  const found = byPath.get(`/${segments.join('/').toLowerCase()}`);
  if (found !== undefined && families.includes(found.family)) {
    return method === 'POST'
      ? { type: 'operation', operation: found.operation }
      : { type: 'method-not-allowed', allow: 'POST' };
  }
  return matchLocal(method, split(path).length === 0 ? '/' : join(segments), families);
}

/** `path`: without a version; `/` is the root, '' a version and nothing else. */
function matchLocal(method: string, path: string, families: readonly ProtocolFamily[]): PathMatch | undefined {
  const candidates = families
    .flatMap((family) => localOperations(family).map((operation) => ({ family, operation })))
    .flatMap(({ family, operation }): LocalMatch[] => {
      if (path.toLowerCase() === operation.path) return [{ family, operation, id: undefined }];
      const below = `${operation.path}/`;
      if (operation.takesId !== true || !path.toLowerCase().startsWith(below)) return [];
      // Some clients leave the slashes of an id as they are.
      const id = modelId(path.slice(below.length));
      return id === undefined ? [] : [{ family, operation, id }];
    });
  if (candidates.length === 0) return undefined;
  const matches = candidates.filter(({ operation }) => operation.methods.includes(method));
  if (matches.length > 0) return { type: 'local', matches };
  const allow = new Set(candidates.flatMap(({ operation }) => operation.methods));
  return { type: 'method-not-allowed', allow: [...allow].join(', ') };
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

/** A path that belongs to no route, and whose APIs it may belong to. */
export interface SharedPath {
  readonly families: readonly ProtocolFamily[];
  /** What follows the prefix. */
  readonly rest: string;
}

/** Reads a shared path: `/v1/…`, `/openai/…`, `/anthropic/…`, each also with a version, `/api/…`, `/`. */
export function readSharedPath(path: string): SharedPath | undefined {
  const segments = split(path);
  const [first] = segments;
  switch (first?.toLowerCase()) {
    case undefined:
      return { families: ['ollama'], rest: '' };
    case 'api':
      return { families: ['ollama'], rest: join(segments) };
    case 'v1':
      return { families: ['openai', 'anthropic'], rest: join(segments.slice(1)) };
    case 'openai':
    case 'anthropic':
      return {
        families: [first?.toLowerCase() as ProtocolFamily],
        rest: join(withoutVersion(segments.slice(1))),
      };
    default:
      return undefined;
  }
}

/**
 * What follows the prefix of a vendor in a path below a route's own: official clients add what they always add to the
 * base that they are given, and people give bases with and without it.
 */
export function withoutVendorPrefix(path: string): SharedPath | undefined {
  const [first] = split(path);
  return first === undefined || !/^(openai|anthropic)$/i.test(first) ? undefined : readSharedPath(path);
}

function split(path: string): readonly string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function join(segments: readonly string[]): string {
  return segments.length === 0 ? '' : `/${segments.join('/')}`;
}

function withoutVersion(segments: readonly string[]): readonly string[] {
  return segments[0]?.toLowerCase() === 'v1' ? segments.slice(1) : segments;
}
