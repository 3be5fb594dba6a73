// Search, then relay: from a rule to an answer that has reached the client, or a ClientError that says why not.

import type { Outcome, Trail } from '../accounting/trail.ts';
import { ClientError } from '../canonical/client-error.ts';
import type { Principal, Rule } from '../config/snapshot.ts';
import { exhausted, inBandError } from '../routing/exhausted.ts';
import type { Visit } from '../routing/plan.ts';
import type { RelayEnd } from '../stream/relay.ts';
import type { ProxyRequest } from './decode.ts';
import type { Breakage, Reply } from './reply.ts';
import { endAttempt, judged, search, type SearchSettings, toldTo } from './search.ts';
import type { SentAttempt } from './send.ts';

/** Answers a request by a backend. Throws ClientError where none does. */
export async function answer(
  request: ProxyRequest,
  rule: Rule,
  principal: Principal | undefined,
  reply: Reply,
  trail: Trail,
  settings: SearchSettings,
): Promise<void> {
  const { end, plan } = await search(request, rule, principal, trail, settings);
  switch (end.type) {
    case 'committed':
      await relayTo(reply, end, request, rule, trail, settings);
      return;
    case 'exhausted':
      if (end.empty !== undefined) await relayTo(reply, end.empty, request, rule, trail, settings);
      else throw exhausted(end.failures, returnMs(plan.soonestReturn(), settings.clock.now()));
      return;
    case 'local':
      reply.local(end.body);
      trail.outcome = 'answered';
      return;
    case 'deadline':
      throw new ClientError('upstream_timeout');
    case 'aborted':
      if (request.exchange.signal.reason === 'drain-deadline') throw new ClientError('draining');
      trail.outcome = 'client-left';
  }
}

async function relayTo(
  reply: Reply,
  { attempt, visit }: { readonly attempt: SentAttempt; readonly visit: Visit },
  request: ProxyRequest,
  rule: Rule,
  trail: Trail,
  settings: SearchSettings,
): Promise<void> {
  const { clock, judge, observer } = settings;
  trail.firstContentAtMs = attempt.answer.firstContentAtMs ?? clock.now();
  trail.status = attempt.translated ? 200 : attempt.answer.status;
  const end = await reply.relay(attempt, (breakage) => {
    const error = tell(breakage, attempt);
    trail.errorCode = error.code;
    return error;
  });
  const { usage } = attempt.answer;
  if (usage !== undefined) trail.usage = usage;
  trail.outcome = outcomeOf(end);
  endAttempt(trail, attempt, clock, observer);

  function tell(breakage: Breakage, { record }: SentAttempt): ClientError {
    if (breakage === 'deadline') return new ClientError('stream_timeout');
    if (breakage === 'draining') return new ClientError('draining');
    const failed = {
      ...judged(request, visit, undefined, attempt),
      signal: breakage,
      rule,
      body: request.exchange.body,
    };
    record.failure = toldTo(attempt, judge.failed(failed));
    return inBandError(record.failure);
  }
}

function outcomeOf(end: RelayEnd): Outcome {
  switch (end.type) {
    case 'complete':
      return 'answered';
    case 'broken':
      return 'failed-in-band';
    case 'aborted':
      return end.reason === 'drain-deadline' ? 'failed-in-band' : 'client-left';
  }
}

function returnMs(soonestMs: number, nowMs: number): number | undefined {
  return soonestMs === Infinity ? undefined : soonestMs - nowMs;
}
