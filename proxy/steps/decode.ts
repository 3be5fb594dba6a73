// The first steps: what does this request want, of which route? Path first, then the body as far as routing needs it.

import { ClientError } from '../canonical/client-error.ts';
import type { Pin, Route, Snapshot } from '../config/snapshot.ts';
import type { Exchange } from '../ingress/exchange.ts';
import { matchOperation, routeOperation } from '../protocols/operations.ts';
import { parsePath } from '../protocols/path.ts';
import type { ClientProtocol, Operation, PassThroughProtocol, Peek } from '../protocols/protocol.ts';
import { clientProtocol, passThroughProtocol } from '../protocols/registry.ts';
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

/** Prefixes that all routes share, longest first. */
const sharedPrefixes = ['/openai/v1', '/openai', '/v1'] as const;

/** Understands a request. Throws ClientError. */
export function decode(exchange: Exchange, snapshot: Snapshot): ProxyRequest {
  const path = parsePath(exchange.path);
  const claim = claimPath(snapshot, path);
  if (claim === undefined) return decodeShared(exchange, snapshot, path);
  const operation = claimedOperation(exchange, claim.route, claim.rest);
  const peek = peekBody(exchange, operation);
  return assemble(exchange, snapshot, operation, peek, claim.route, claim.pin);
}

/** The path below the shared prefixes, or undefined. */
export function sharedRest(path: string): string | undefined {
  const prefix = sharedPrefixes.find(
    (it) => path.startsWith(it) && (path.length === it.length || path[it.length] === '/'),
  );
  return prefix === undefined ? undefined : path.slice(prefix.length);
}

function decodeShared(exchange: Exchange, snapshot: Snapshot, path: string): ProxyRequest {
  const rest = sharedRest(path);
  if (rest === undefined) throw new ClientError('route_not_found');
  const operation = matchOperation(exchange.method, rest) ?? { protocol: 'relay', path: rest };
  if (operation === 'method_not_allowed') throw new ClientError('method_not_allowed');
  const peek = peekBody(exchange, operation);
  // An operation that we do not know and that names no model could belong to anyone.
  if (operation.protocol === 'relay' && peek?.model === undefined) throw new ClientError('route_not_found');
  return assemble(exchange, snapshot, operation, peek, routeOfModel(snapshot, peek?.model), undefined);
}

function claimedOperation(exchange: Exchange, route: Route, rest: string): Operation {
  const operation =
    rest === '' || rest === '/'
      ? routeOperation(exchange.method, route.protocol)
      : matchOperation(exchange.method, rest);
  if (operation === 'method_not_allowed') throw new ClientError('method_not_allowed');
  return operation ?? { protocol: 'relay', path: withoutVersion(rest) };
}

/** The base URL of an upstream already ends in its version. */
function withoutVersion(rest: string): string {
  return rest === '/v1' || rest.startsWith('/v1/') ? rest.slice(3) : rest;
}

/** JSON of an operation that we do not know is looked at only for its model, and may be anything. */
function peekBody(exchange: Exchange, operation: Operation): Peek | undefined {
  if (operation.protocol !== 'relay') return clientProtocol(operation.protocol).peek(exchange.body);
  const type = exchange.headers['content-type'];
  if (exchange.body.length === 0 || typeof type !== 'string' || !type.startsWith('application/json')) return undefined;
  try {
    return clientProtocol('openai-chat').peek(exchange.body);
  } catch {
    return undefined;
  }
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
    client: clientProtocol(operation.protocol),
    passThrough: passThroughProtocol(operation.protocol),
    peek: opaque ? undefined : peek,
    model: peek?.model,
    stream: !opaque && peek?.stream === true,
    route,
    pin,
  };
}
