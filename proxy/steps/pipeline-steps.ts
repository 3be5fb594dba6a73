// Binds the steps of the pipeline to the parts of a gateway.

import { openTrail } from '../accounting/account.ts';
import type { Observer, Trail } from '../accounting/trail.ts';
import { authorize, identify } from '../auth/access.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Principal, Rule } from '../config/snapshot.ts';
import type { SnapshotStore } from '../config/store.ts';
import type { Steps } from '../pipeline.ts';
import type { Exchange } from '../ingress/exchange.ts';
import { faceOfPath } from '../protocols/families.ts';
import type { ClientProtocol } from '../protocols/protocol.ts';
import { protocolIds, protocolOf } from '../protocols/registry.ts';
import { answer } from './answer.ts';
import { peekBody, type ProxyRequest, toLocal, toRequest } from './decode.ts';
import { replyLocally } from './local.ts';
import { createPathReader } from './read-path.ts';
import { Reply, replyError, toClientError } from './reply.ts';
import type { SearchSettings } from './search.ts';

/** What the steps are made of. */
export interface PipelineSettings extends SearchSettings {
  readonly store: Pick<SnapshotStore, 'current'>;
  readonly observer: Required<Observer>;
}

/** Makes the steps. */
export function createSteps(settings: PipelineSettings): Steps {
  const { clock, store, observer, unexpected } = settings;
  const readPath = createPathReader();
  return {
    begin(exchange) {
      const trail = openTrail(exchange);
      observer.requestStarted(trail);
      return trail;
    },
    decode(exchange, trail) {
      const snapshot = store.current;
      if (snapshot === undefined) throw new ClientError('not_ready');
      const wish = readPath(exchange.method, exchange.path, snapshot);
      if (wish.type === 'local') return toLocal(exchange, snapshot, wish);
      // Each fact is noted as soon as it is known: whatever goes wrong next is told in the client's protocol.
      trail.protocol = wish.operation.protocol;
      const peek = peekBody(exchange, wish.operation);
      if (peek?.model !== undefined) trail.requestModel = peek.model;
      const request = toRequest(exchange, snapshot, wish, peek);
      trail.route = request.route.id;
      trail.stream = request.stream;
      return request;
    },
    local(exchange, wish, trail) {
      const principal = note(trail, identify(exchange.headers, wish.snapshot, clock.now()));
      replyLocally(exchange, wish, principal);
      trail.outcome = 'answered';
      trail.status = 200;
    },
    authenticate({ exchange, snapshot, route, vouchedModel }, trail) {
      const principal = note(trail, identify(exchange.headers, snapshot, clock.now()));
      authorize(principal, route, vouchedModel);
      return principal;
    },
    match: (request, principal, trail) => matchRule(request, principal, trail),
    open: (request, rule, trail) => new Reply(request, rule, trail, clock),
    answer: (request, rule, principal, reply, trail) => answer(request, rule, principal, reply, trail, settings),
    fail(exchange, request, reply, thrown, trail) {
      const error = toClientError(thrown);
      if (error.code === 'internal_error') unexpected(thrown, exchange.id);
      trail.errorCode = error.code;
      if (reply?.failInBand(error) === true) {
        trail.outcome = 'failed-in-band';
      } else if (!exchange.started) {
        replyError(exchange, request?.client ?? faceOf(exchange, trail), error, trail);
        trail.outcome = 'refused';
      }
    },
    account(trail, exchange) {
      trail.endedAtMs = clock.now();
      if (trail.outcome === undefined || exchange.signal.reason === 'client-left') trail.outcome = 'client-left';
      observer.requestEnded(trail);
    },
  };
}

/** Who writes an error of a request that was not understood: its protocol, if it came to that, else whose path it is. */
function faceOf({ path, headers }: Exchange, trail: Trail): ClientProtocol {
  const protocol = protocolIds.find((id) => id === trail.protocol && id !== 'relay');
  return protocol === undefined ? faceOfPath(path, headers) : protocolOf(protocol).client;
}

function note(trail: Trail, principal: Principal | undefined): Principal | undefined {
  if (principal !== undefined) {
    trail.clientKey = principal.id;
    trail.tenant = principal.tenant;
  }
  return principal;
}

/** The pinned rule, else the first that matches. */
function matchRule(request: ProxyRequest, principal: Principal | undefined, trail: Trail): Rule {
  const { exchange, route, pin, model, stream } = request;
  const context = { headers: exchange.headers, path: exchange.path, model, stream, principal };
  const rule = pin?.rule ?? route.rules.find((it) => it.matches(context));
  if (rule === undefined) throw new ClientError('no_rule_matched');
  trail.rule = rule.name;
  return rule;
}
