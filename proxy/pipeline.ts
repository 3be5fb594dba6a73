// The life of a request, from its first byte to its account. Each step is made elsewhere and knows no other.

import type { Trail } from './accounting/trail.ts';
import type { ClientError } from './canonical/client-error.ts';
import type { Principal, Rule } from './config/snapshot.ts';
import type { Exchange, Handler } from './ingress/exchange.ts';
import type { ProxyRequest } from './steps/decode.ts';
import type { Reply } from './steps/reply.ts';

/** The steps, in the order in which a request takes them. Each may throw a ClientError. */
export interface Steps {
  readonly begin: (exchange: Exchange) => Trail;
  /** Answers what needs no backend (model listings); true if it did. */
  readonly list: (exchange: Exchange, trail: Trail) => boolean;
  /** Which operation of which route; the body is parsed once. */
  readonly decode: (exchange: Exchange, trail: Trail) => ProxyRequest;
  readonly authenticate: (request: ProxyRequest, trail: Trail) => Principal | undefined;
  readonly match: (request: ProxyRequest, principal: Principal | undefined, trail: Trail) => Rule;
  /** The client's side of the answer: opened early if the search takes long. */
  readonly open: (request: ProxyRequest, rule: Rule, trail: Trail) => Reply;
  /** Failover lives here, before the first content; then the relay, where nothing is retried. */
  readonly answer: (
    request: ProxyRequest,
    rule: Rule,
    principal: Principal | undefined,
    reply: Reply,
    trail: Trail,
  ) => Promise<void>;
  /** Tells the client: as a status, or inside the stream that has begun. */
  readonly fail: (
    exchange: Exchange,
    request: ProxyRequest | undefined,
    reply: Reply | undefined,
    error: unknown,
    trail: Trail,
  ) => ClientError;
  readonly account: (trail: Trail, exchange: Exchange) => void;
}

/** Makes the handler of all requests of the data port. */
export function createPipeline(steps: Steps): Handler {
  return async function handle(exchange) {
    const trail = steps.begin(exchange);
    let request: ProxyRequest | undefined;
    let reply: Reply | undefined;
    try {
      if (steps.list(exchange, trail)) return;
      request = steps.decode(exchange, trail);
      const principal = steps.authenticate(request, trail);
      const rule = steps.match(request, principal, trail);
      reply = steps.open(request, rule, trail);
      await steps.answer(request, rule, principal, reply, trail);
    } catch (error) {
      steps.fail(exchange, request, reply, error, trail);
    } finally {
      steps.account(trail, exchange);
    }
  };
}
