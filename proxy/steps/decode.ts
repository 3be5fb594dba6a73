// The first steps: what does this request want, of which route? Path first, then the body as far as routing needs it.

import { ClientError } from '../canonical/client-error.ts';
import type { LeftOutPin, Pin, Route, Snapshot } from '../config/snapshot.ts';
import type { Exchange } from '../ingress/exchange.ts';
import { usesNamedModel } from '../protocols/operations.ts';
import type { ClientProtocol, Operation, PassThroughProtocol, Peek } from '../protocols/protocol.ts';
import { protocolOf, protocols } from '../protocols/registry.ts';
import { routeOfModel } from '../routing/resolve.ts';
import { readPath, type ReadPath } from './read-path.ts';

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
  /** The model that decides who may ask for this; undefined where nothing says which it will be. */
  readonly vouchedModel: string | undefined;
  readonly stream: boolean;
  readonly route: Route;
  readonly pin: Pin | LeftOutPin | undefined;
}

/** A request for names of models, which needs no backend. */
export interface ListingRequest {
  readonly snapshot: Snapshot;
  /** Undefined: all of them. */
  readonly model: string | undefined;
}

/** Understands a request. Throws ClientError. */
export function decode(
  exchange: Exchange,
  snapshot: Snapshot,
  paths: ReadPath = readPath,
): ProxyRequest | ListingRequest {
  const wanted = paths(exchange.method, exchange.path, snapshot);
  if (wanted.type === 'listing') return { snapshot, model: wanted.model };
  const { operation, claim } = wanted;
  const peek = peekBody(exchange, operation);
  if (claim !== undefined) return assemble(exchange, snapshot, operation, peek, claim.route, claim.pin);
  // An operation that we do not know and that names no model could belong to anyone.
  if (operation.protocol === 'relay' && peek?.model === undefined) throw new ClientError('route_not_found');
  return assemble(exchange, snapshot, operation, peek, routeOfModel(snapshot, peek?.model), undefined);
}

/**
 * JSON of an operation that we do not know is looked at only for its model. What is no JSON at all names none, and
 * neither does what the upstream may not read: a model that only we have seen must not open a door.
 */
function peekBody(exchange: Exchange, operation: Operation): Peek | undefined {
  if (operation.protocol !== 'relay') return protocolOf(operation.protocol).client.peek(exchange.body);
  if (!bodyMethods.has(exchange.method) || new URLSearchParams(exchange.query).has('model')) return undefined;
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

/** To all others a body means nothing: RFC 9110 §9.3. */
const bodyMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function isJson(contentType: string): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(contentType);
}

function assemble(
  exchange: Exchange,
  snapshot: Snapshot,
  operation: Operation,
  peek: Peek | undefined,
  route: Route,
  pin: Pin | LeftOutPin | undefined,
): ProxyRequest {
  const opaque = operation.protocol === 'relay';
  return {
    exchange,
    snapshot,
    operation,
    ...protocolOf(operation.protocol),
    peek: opaque ? undefined : peek,
    model: peek?.model,
    vouchedModel: usesNamedModel(operation) ? peek?.model : undefined,
    stream: !opaque && peek?.stream === true,
    route,
    pin,
  };
}
