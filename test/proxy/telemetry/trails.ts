// Trails as the pipeline would have written them, for tests of what listens.

import type { AttemptRecord, Observer, Trail } from '../../../proxy/accounting/trail.ts';
import type { Clock } from '../../../proxy/canonical/clock.ts';
import type { Failure, FailureClass } from '../../../proxy/canonical/failure.ts';

/** A clock that stands still. */
export const stoppedClock: Clock = { now: () => 50_000, setTimer: () => ({ cancel: () => undefined }) };

/** A trail that has just begun. */
export function newTrail(facts: Partial<Trail> = {}): Trail {
  return {
    id: 'request-1',
    method: 'POST',
    path: '/v1/chat/completions',
    startedAtMs: 10_000,
    traceparent: undefined,
    tracestate: undefined,
    attempts: [],
    ...facts,
  };
}

/** An attempt on `team-a/chat/<name>` that has just begun. */
export function newAttempt(name: string, facts: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    number: 1,
    backend: `team-a/chat/${name}`,
    backendName: name,
    provider: `team-a/${name}`,
    providerType: 'OpenAI',
    key: `team-a/${name}-key`,
    model: 'gpt-4o-upstream',
    startedAtMs: 10_000,
    ...facts,
  };
}

/** A judged failure of one class. */
export function failureOf(failureClass: FailureClass): Failure {
  return { class: failureClass, scope: 'backend', hard: false, counts: true, cause: new Error('cause') };
}

/** Tells the observer of one attempt from beginning to end. */
export function makeAttempt(
  observer: Observer,
  trail: Trail,
  attempt: AttemptRecord,
  end: Partial<AttemptRecord>,
): void {
  trail.attempts.push(attempt);
  observer.attemptStarted?.(trail, attempt);
  Object.assign(attempt, end);
  observer.attemptEnded?.(trail, attempt);
}

/** Tells the observer of a whole request: `azure` fails, `openai` answers with usage. */
export function failOverOnce(observer: Observer, facts: Partial<Trail> = {}): Trail {
  const trail = newTrail(facts);
  observer.requestStarted?.(trail);
  Object.assign(trail, { protocol: 'openai-chat', route: 'team-a/chat', requestModel: 'gpt-4o', stream: true });
  makeAttempt(observer, trail, newAttempt('azure', { providerType: 'AzureOpenAI' }), {
    status: 503,
    failure: failureOf('ServerError'),
    endedAtMs: 10_200,
  });
  makeAttempt(observer, trail, newAttempt('openai', { number: 2, startedAtMs: 10_200 }), {
    status: 200,
    firstContentAtMs: 10_600,
    endedAtMs: 12_000,
    usage: { inputTokens: 11, outputTokens: 7, cachedTokens: 3 },
  });
  Object.assign(trail, {
    status: 200,
    outcome: 'answered',
    firstContentAtMs: 10_600,
    endedAtMs: 12_000,
    usage: { inputTokens: 11, outputTokens: 7, cachedTokens: 3 },
  });
  observer.requestEnded?.(trail);
  return trail;
}
