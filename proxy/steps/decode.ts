// The first steps: what does this request want, of which route? Path first, then the body as far as routing needs it.

import { ClientError } from '../canonical/client-error.ts';
import type { Pin, Route, Snapshot } from '../config/snapshot.ts';
import type { Exchange } from '../ingress/exchange.ts';
import { matchOperation, operationOf, relayOperation, withoutSharedPrefix } from '../protocols/operations.ts';
import { parsePath } from '../protocols/path.ts';
import type { ClientProtocol, Operation, PassThroughProtocol, Peek, ProtocolId } from '../protocols/protocol.ts';
import { protocols } from '../protocols/registry.ts';
import { claimPath, routeOfModel } from '../routing/resolve.ts';

/** A request, understood as far as it needs to be. */
export interface ProxyRequest {
  readonly exchange: Exchange;
  readonly snapshot: Snapshot;
  readonly operation: Operation;
  readonly client: ClientProtocol;
  /** Undefined: the operation's bytes are not looked at. */
  readonly passThrough: PassThroughProtocol | undefined;
  /** Undefined where the body is not looked at. */
  readonly peek: Peek | undefined;
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly route: Route;
  readonly pin: Pin | undefined;
}

/** A request for names of models, which needs no backend. */
export interface ListingRequest {
  readonly snapshot: Snapshot;
  /** Undefined: all of them. */
  readonly model: string | undefined;
}

/** Understands a request. Throws ClientError. */
export function decode(exchange: Exchange, snapshot: Snapshot): ProxyRequest | ListingRequest {
  // A trailing slash counts for nothing; everything after this reads the path as it is put together here.
  const path = `/${parsePath(exchange.path).join('/')}`;
  const claim = claimPath(snapshot, path);
  if (claim === undefined) return decodeShared(exchange, snapshot, path);
  const operation = claimedOperation(exchange, claim.route, claim.rest);
  return assemble(exchange, snapshot, operation, peekBody(exchange, operation), claim.route, claim.pin);
}

function decodeShared(exchange: Exchange, snapshot: Snapshot, path: string): ProxyRequest | ListingRequest {
  const rest = withoutSharedPrefix(path);
  if (rest === undefined) throw new ClientError('route_not_found');
  const match = matchOperation(exchange.method, rest);
  if (match?.type === 'method-not-allowed') throw new ClientError('method_not_allowed');
  if (match?.type === 'models') return { snapshot, model: undefined };
  if (match?.type === 'model') return { snapshot, model: match.id };
  const operation = match?.operation ?? relayOperation(rest);
  const peek = peekBody(exchange, operation);
  // An operation that we do not know and that names no model could belong to anyone.
  if (operation.protocol === 'relay' && peek?.model === undefined) throw new ClientError('route_not_found');
  return assemble(exchange, snapshot, operation, peek, routeOfModel(snapshot, peek?.model), undefined);
}

/** Below a route's own path everything that is not an operation of ours is the upstream's, model listings too. */
function claimedOperation(exchange: Exchange, route: Route, rest: string): Operation {
  if (rest === '' || rest === '/') {
    if (exchange.method !== 'POST') throw new ClientError('method_not_allowed');
    return operationOf(bareProtocol(route));
  }
  const match = matchOperation(exchange.method, rest);
  if (match?.type === 'method-not-allowed') throw new ClientError('method_not_allowed');
  return match?.type === 'operation' ? match.operation : relayOperation(rest);
}

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

/** JSON of an operation that we do not know is looked at only for its model. What is no JSON at all names none. */
function peekBody(exchange: Exchange, operation: Operation): Peek | undefined {
  if (operation.protocol !== 'relay') return protocols[operation.protocol].client.peek(exchange.body);
  const type = exchange.headers['content-type'];
  if (exchange.body.length === 0 || typeof type !== 'string' || !isJson(type)) return undefined;
  try {
    return protocols['openai-chat'].client.peek(exchange.body);
  } catch (error) {
    // A body that two readers would read differently (a repeated `model`, say) must not get around a key's allow-list.
    if (error instanceof ClientError && error.code === 'invalid_json') return undefined;
    throw error;
  }
}

function isJson(contentType: string): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(contentType);
}

function assemble(
  exchange: Exchange,
  snapshot: Snapshot,
  operation: Operation,
  peek: Peek | undefined,
  route: Route,
  pin: Pin | undefined,
): ProxyRequest {
  const opaque = operation.protocol === 'relay';
  return {
    exchange,
    snapshot,
    operation,
    ...protocols[operation.protocol],
    peek: opaque ? undefined : peek,
    model: peek?.model,
    stream: !opaque && peek?.stream === true,
    route,
    pin,
  };
}
