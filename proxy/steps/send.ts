// Builds and sends one upstream request for a visit: body edits, headers, credential, place. The other half of an attempt,
// reading the answer, is stream/answer.ts.

import type { AttemptRecord, Observer, Trail } from '../accounting/trail.ts';
import { readClientKey } from '../auth/client-key.ts';
import type { AttemptOutcome } from '../canonical/attempt.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Backend, Rule, UpstreamKey } from '../config/snapshot.ts';
import { upstreamHeaders } from '../providers/upstream-headers.ts';
import type { Attempt } from '../routing/failover.ts';
import { isListedStatus } from '../routing/failure-settings.ts';
import type { Visit } from '../routing/plan.ts';
import { Answer } from '../stream/answer.ts';
import type { Sender } from '../upstream/pool.ts';
import { type OutgoingRequest, send } from '../upstream/send.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { ProxyRequest } from './decode.ts';

/** An attempt as the pipeline relays and accounts for it. */
export interface SentAttempt extends Attempt {
  readonly answer: Answer;
  readonly record: AttemptRecord;
}

/** What sending needs. */
export interface SendSettings {
  readonly clock: Clock;
  readonly upstreams: Upstreams;
  /** Hears of each attempt, and may add trace context to it. */
  readonly observer: Required<Observer>;
  /** Hears of each dropped frame, with the id of the backend that sent it. */
  readonly onMalformed: (backend: string) => void;
}

/** Sends a request to the visited backend. */
export function sendAttempt(
  request: ProxyRequest,
  visit: Visit,
  key: UpstreamKey | undefined,
  trail: Trail,
  rule: Rule,
  deadlineAtMs: number,
  { clock, upstreams, observer, onMalformed }: SendSettings,
): SentAttempt {
  const { backend, timeouts } = visit;
  const outgoing = buildRequest(request, visit, key);
  const record: AttemptRecord = {
    number: trail.attempts.length + 1,
    backend: backend.id,
    backendName: backend.name,
    provider: backend.provider.id,
    providerType: backend.provider.config.type,
    key: key?.id,
    model: backend.upstreamModel ?? request.model,
    startedAtMs: clock.now(),
  };
  trail.attempts.push(record);
  const traceHeaders = observer.attemptStarted(trail, record);
  if (traceHeaders !== undefined) Object.assign(outgoing.headers, traceHeaders);
  const pool = upstreams.pool(backend.provider, timeouts.connectMs);
  return sendOver(pool);

  function sendOver(sender: Sender): SentAttempt {
    const answer = new Answer({
      clock,
      timeouts,
      deadlineAtMs,
      protocol: request.passThrough,
      stream: request.stream,
      hideUsage: request.peek?.usageEdit !== undefined,
      isFailure: (status) => isListedStatus(status, rule.failover),
      onMalformed: () => onMalformed(backend.id),
    });
    answer.source = send(sender, outgoing, answer);
    return {
      answer,
      record,
      outcome: answer.outcome satisfies Promise<AttemptOutcome>,
      abort: () => answer.abort(),
      resend: () => sendOver(pool.fresh),
    };
  }
}

function buildRequest(request: ProxyRequest, { backend }: Visit, key: UpstreamKey | undefined): OutgoingRequest {
  const { exchange, operation } = request;
  const { provider } = backend;
  const passthrough = provider.config.credentials.type === 'Passthrough';
  const headers = upstreamHeaders({
    incoming: exchange.headers,
    provider,
    key,
    clientCredential: passthrough ? readClientKey(exchange.headers) : undefined,
  });
  const place = { config: provider.config, model: backend.upstreamModel ?? request.model };
  const located = provider.kind.locate(operation, place);
  return {
    method: exchange.method,
    path: provider.basePath + withQuery(located, exchange.query, operation.protocol === 'relay'),
    headers,
    body: exchange.body.length === 0 ? undefined : editBody(request, backend),
  };
}

/** Queries belong to operations that we do not know; ours have none that an upstream should see. */
function withQuery(located: string, query: string, relayed: boolean): string {
  if (!relayed || query === '') return located;
  return located.includes('?') ? `${located}&${query.slice(1)}` : located + query;
}

function editBody(request: ProxyRequest, backend: Backend): Buffer {
  const { peek, passThrough, exchange } = request;
  if (peek === undefined || passThrough === undefined) return exchange.body;
  const { usageEdit } = peek;
  if (usageEdit === undefined || !backend.provider.kind.usageOnRequest)
    return passThrough.rewrite(exchange.body, peek, backend.edits);
  const set = new Map(backend.edits.set).set(usageEdit.name, usageEdit.json);
  return passThrough.rewrite(exchange.body, peek, { set, remove: backend.edits.remove });
}
