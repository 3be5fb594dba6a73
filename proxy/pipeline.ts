// The life of a request, from its first byte to its account. Each step is made elsewhere and knows no other.

import type { Trail } from './accounting/trail.ts';
import type { Principal, Rule } from './config/snapshot.ts';
import type { Exchange, Handler } from './ingress/exchange.ts';
import type { LocalWish, ProxyRequest } from './steps/decode.ts';
import type { Reply } from './steps/reply.ts';

type Caller = Principal | undefined;

/** The steps, in the order in which a request takes them. Those before `fail` may throw a ClientError. */
export interface Steps {
  readonly begin: (exchange: Exchange) => Trail;
  /** Which operation of which route, by one configuration for the whole request; the body is parsed once. */
  readonly decode: (exchange: Exchange, trail: Trail) => ProxyRequest | LocalWish;
  /** Answers what needs no backend: names of models, versions. */
  readonly local: (exchange: Exchange, wish: LocalWish, trail: Trail) => void;
  readonly authenticate: (request: ProxyRequest, trail: Trail) => Caller;
  readonly match: (request: ProxyRequest, caller: Caller, trail: Trail) => Rule;
  /** The client's side of the answer; it opens by itself if the search takes long. */
  readonly open: (request: ProxyRequest, rule: Rule, trail: Trail) => Reply;
  /** Failover lives here, before the first content; then the relay, where nothing is retried. */
  readonly answer: (request: ProxyRequest, rule: Rule, caller: Caller, reply: Reply, trail: Trail) => Promise<void>;
  /** Tells the client: as a status, or inside the stream that has begun. */
  readonly fail: (
    exchange: Exchange,
    request: ProxyRequest | undefined,
    reply: Reply | undefined,
    error: unknown,
    trail: Trail,
  ) => void;
  readonly account: (trail: Trail, exchange: Exchange) => void;
}

/** Makes the handler of all requests of the data port. */
export function createPipeline(steps: Steps): Handler {
  return async function handle(exchange) {
    const trail = steps.begin(exchange);
    let request: ProxyRequest | undefined;
    let reply: Reply | undefined;
    try {
      const wanted = steps.decode(exchange, trail);
      if (!('route' in wanted)) {
        steps.local(exchange, wanted, trail);
        return;
      }
      request = wanted;
      const caller = steps.authenticate(request, trail);
      const rule = steps.match(request, caller, trail);
      reply = steps.open(request, rule, trail);
      await steps.answer(request, rule, caller, reply, trail);
    } catch (error) {
      steps.fail(exchange, request, reply, error, trail);
    } finally {
      reply?.close();
      steps.account(trail, exchange);
    }
  };
}
