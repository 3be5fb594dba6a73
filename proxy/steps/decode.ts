// The first steps: what does this request want, of which route? Path first, then the body as far as routing needs it.

import { ClientError } from '../canonical/client-error.ts';
import type { LeftOutPin, Pin, Route, Snapshot } from '../config/snapshot.ts';
import type { Exchange } from '../ingress/exchange.ts';
import { faceOfPath, pickFamily } from '../protocols/families.ts';
import { usesNamedModel } from '../protocols/operations.ts';
import type { ClientProtocol, LocalOperation, Operation, Peek } from '../protocols/protocol.ts';
import { protocolOf, protocols } from '../protocols/registry.ts';
import { routeOfModel } from '../routing/resolve.ts';
import { type PathWish, readPath, type ReadPath } from './read-path.ts';

/** A request, understood as far as it needs to be. */
export interface ProxyRequest {
  readonly exchange: Exchange;
  readonly snapshot: Snapshot;
  readonly operation: Operation;
  readonly client: ClientProtocol;
  /** Undefined where the body is not looked at. */
  readonly peek: Peek | undefined;
  readonly model: string | undefined;
  /** The model that decides who may ask for this; undefined where nothing says which it will be. */
  readonly vouchedModel: string | undefined;
  readonly stream: boolean;
  readonly route: Route;
  readonly pin: Pin | LeftOutPin | undefined;
}

/** A request that needs no backend: names of models, versions. */
export interface LocalWish {
  readonly snapshot: Snapshot;
  readonly local: LocalOperation;
  /** The id of a model in the path. */
  readonly id: string | undefined;
  /** The route that has claimed the path; undefined: all routes are meant. */
  readonly claimedBy: Route | undefined;
}

/** Understands a request. Throws ClientError. */
export function decode(exchange: Exchange, snapshot: Snapshot, paths: ReadPath = readPath): ProxyRequest | LocalWish {
  const wish = paths(exchange.method, exchange.path, snapshot);
  if (wish.type === 'local') return toLocal(exchange, snapshot, wish);
  return toRequest(exchange, snapshot, wish, peekBody(exchange, wish.operation));
}

/** What is answered here. */
export function toLocal(
  exchange: Exchange,
  snapshot: Snapshot,
  { matches, claim }: Extract<PathWish, { type: 'local' }>,
): LocalWish {
  const { operation, id } = pickFamily(matches, exchange.headers);
  return { snapshot, local: operation, id, claimedBy: claim?.route };
}

/**
 * JSON of an operation that we do not know is looked at only for its model. What is no JSON at all names none, and
 * neither does what the upstream may not read: a model that only we have seen must not open a door.
 */
export function peekBody(exchange: Exchange, operation: Operation): Peek | undefined {
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

/** A request to the route that has claimed its path, else to the one that has its model. Throws ClientError. */
export function toRequest(
  exchange: Exchange,
  snapshot: Snapshot,
  { operation, claim }: Extract<PathWish, { type: 'operation' }>,
  peek: Peek | undefined,
): ProxyRequest {
  const opaque = operation.protocol === 'relay';
  // An operation that we do not know and that names no model could belong to anyone.
  if (claim === undefined && opaque && peek?.model === undefined) throw new ClientError('route_not_found');
  return {
    exchange,
    snapshot,
    operation,
    client: opaque ? faceOfPath(exchange.path, exchange.headers) : protocolOf(operation.protocol).client,
    peek: opaque ? undefined : peek,
    model: peek?.model,
    vouchedModel: usesNamedModel(operation) ? peek?.model : undefined,
    stream: !opaque && peek?.stream === true,
    route: claim?.route ?? routeOfModel(snapshot, peek?.model),
    pin: claim?.pin,
  };
}
