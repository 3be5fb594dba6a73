// One line per request, if wanted. Holds what the trail knows and nothing else: no query, no header, no body. What a
// client chose (path, model, id) is made printable and looked through for credentials pasted in the wrong place.

import type { AttemptRecord, Observer, Trail } from '../accounting/trail.ts';
import type { Clock } from '../canonical/clock.ts';
import { logLevels, type LogDestination, type LogLevel } from './log.ts';
import { printable, scrubPatterns } from './redaction.ts';
import { answeringAttempt, secondsToFirstContent } from './trail-facts.ts';

/** What an access log is made of. */
export interface AccessLogOptions {
  readonly enabled: boolean;
  readonly level: LogLevel;
  readonly destination: LogDestination;
  readonly clock: Clock;
}

/** Makes the access log; undefined if it is off, so that it costs nothing. Its lines are of level info. */
export function createAccessLog({ enabled, level, destination, clock }: AccessLogOptions): Observer | undefined {
  if (!enabled || logLevels.indexOf(level) > logLevels.indexOf('info')) return undefined;
  return {
    requestEnded(trail) {
      const endedAtMs = trail.endedAtMs ?? clock.now();
      // The same form as the log's lines. One stringify of the whole line takes a third of what pino takes.
      const head = { level: 'info', time: new Date(endedAtMs).toISOString() };
      destination.write(`${JSON.stringify({ ...head, ...accessFacts(trail, endedAtMs), msg: 'request' })}\n`);
    },
  };
}

/** Everything that a line says. Left out is what is not known. */
function accessFacts(trail: Trail, endedAtMs: number): Record<string, unknown> {
  const answering = answeringAttempt(trail);
  return {
    id: printable(trail.id),
    method: printable(trail.method),
    path: chosen(trail.path),
    protocol: trail.protocol,
    route: trail.route,
    rule: trail.rule,
    clientKey: trail.clientKey,
    tenant: trail.tenant,
    model: chosen(trail.requestModel),
    stream: trail.stream,
    status: trail.status,
    outcome: trail.outcome,
    error: trail.errorCode,
    durationMs: Math.max(0, endedAtMs - trail.startedAtMs),
    firstContentMs: toMs(secondsToFirstContent(trail)),
    backend: answering?.backend,
    upstreamModel: answering?.model === trail.requestModel ? undefined : chosen(answering?.model),
    upstreamKey: answering?.key,
    attempts: trail.attempts.length,
    failures: failuresOf(trail.attempts),
    inputTokens: trail.usage?.inputTokens,
    outputTokens: trail.usage?.outputTokens,
    cachedTokens: trail.usage?.cachedTokens,
    reasoningTokens: trail.usage?.reasoningTokens,
  };
}

/** `backend: class` of every failed attempt. */
function failuresOf(attempts: readonly AttemptRecord[]): readonly string[] | undefined {
  let failures: string[] | undefined;
  for (const { backendName, failure } of attempts) {
    if (failure === undefined) continue;
    failures ??= [];
    failures.push(`${backendName}: ${failure.class}`);
  }
  return failures;
}

/** Text that a client chose. */
function chosen(text: string | undefined): string | undefined {
  return text === undefined ? undefined : scrubPatterns(printable(text));
}

function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}
