// Binds the steps of the pipeline to the parts of a gateway.

import { openTrail } from '../accounting/account.ts';
import type { Observer, Trail } from '../accounting/trail.ts';
import { authorize, identify } from '../auth/access.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Principal, Rule } from '../config/snapshot.ts';
import type { SnapshotStore } from '../config/store.ts';
import type { Steps } from '../pipeline.ts';
import { protocols } from '../protocols/registry.ts';
import { answer } from './answer.ts';
import { decode, type ProxyRequest } from './decode.ts';
import { replyListing } from './listing.ts';
import { createPathReader } from './read-path.ts';
import { Reply, replyError, toClientError } from './reply.ts';
import type { SearchSettings } from './search.ts';

/** What the steps are made of. */
export interface PipelineSettings extends SearchSettings {
  readonly store: SnapshotStore;
  readonly observer: Required<Observer>;
  /** Hears of faults of our own: throws that are no ClientError. */
  readonly unexpected: (error: unknown, requestId: string) => void;
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
      if (store.current === undefined) throw new ClientError('not_ready');
      const wanted = decode(exchange, store.current, readPath);
      if (!('route' in wanted)) return wanted;
      trail.protocol = wanted.operation.protocol;
      trail.route = wanted.route.id;
      trail.stream = wanted.stream;
      if (wanted.model !== undefined) trail.requestModel = wanted.model;
      return wanted;
    },
    list(exchange, wanted, trail) {
      const principal = note(trail, identify(exchange.headers, wanted.snapshot, clock.now()));
      replyListing(exchange, wanted, principal);
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
        replyError(exchange, (request ?? protocols.relay).client, error, trail);
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
