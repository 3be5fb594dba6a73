// Builds and sends one upstream request for a visit: body edits, headers, credential, place. The other half of an attempt,
// reading the answer, is stream/answer.ts.

import type { AttemptRecord, Trail } from '../accounting/trail.ts';
import { readClientKey } from '../auth/client-key.ts';
import type { AttemptOutcome } from '../canonical/attempt.ts';
import type { Clock } from '../canonical/clock.ts';
import type { UpstreamKey } from '../config/snapshot.ts';
import { providerKind } from '../providers/provider-kind.ts';
import { upstreamHeaders } from '../providers/upstream-headers.ts';
import type { Attempt } from '../routing/failover.ts';
import type { Visit } from '../routing/plan.ts';
import { Answer } from '../stream/answer.ts';
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
  /** Trace context and the like; hears of each attempt. */
  readonly attemptStarted: (trail: Trail, record: AttemptRecord) => Readonly<Record<string, string>> | undefined;
  readonly onMalformed: () => void;
}

/** Sends a request to the visited backend. */
export function sendAttempt(
  request: ProxyRequest,
  visit: Visit,
  key: UpstreamKey | undefined,
  trail: Trail,
  deadlineAtMs: number,
  { clock, upstreams, attemptStarted, onMalformed }: SendSettings,
): SentAttempt {
  const { backend, timeouts } = visit;
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
  const answer = new Answer({
    clock,
    timeouts,
    deadlineAtMs,
    protocol: request.passThrough,
    stream: request.stream,
    hideUsage: request.peek?.wantsUsage === false,
    onMalformed,
  });
  const outgoing = buildRequest(request, visit, key, attemptStarted(trail, record));
  answer.source = send(upstreams.pool(backend.provider, timeouts.connectMs), outgoing, answer);
  return { answer, record, outcome: answer.outcome satisfies Promise<AttemptOutcome>, abort: () => answer.abort() };
}

function buildRequest(
  request: ProxyRequest,
  { backend }: Visit,
  key: UpstreamKey | undefined,
  traceHeaders: Readonly<Record<string, string>> | undefined,
): OutgoingRequest {
  const { exchange, operation } = request;
  const { provider } = backend;
  const passthrough = provider.config.credentials.type === 'Passthrough';
  const headers = upstreamHeaders({
    incoming: exchange.headers,
    provider,
    key,
    clientCredential: passthrough ? readClientKey(exchange.headers) : undefined,
  });
  if (traceHeaders !== undefined) Object.assign(headers, traceHeaders);
  const place = { config: provider.config, model: backend.upstreamModel ?? request.model };
  const located = providerKind(provider.config.type)?.locate(operation, place) ?? operation.path;
  return {
    method: exchange.method,
    path: basePath(provider.config.baseURL) + withQuery(located, exchange.query, operation.protocol === 'relay'),
    headers,
    body: exchange.body.length === 0 ? undefined : editBody(request, backend),
  };
}

/** The path of a base URL, without a trailing slash. */
function basePath(baseURL: string): string {
  const start = baseURL.indexOf('/', baseURL.indexOf('://') + 3);
  return start === -1 ? '' : baseURL.slice(start).replace(/\/$/, '');
}

/** Queries belong to operations that we do not know; ours have none that an upstream should see. */
function withQuery(located: string, query: string, relayed: boolean): string {
  if (!relayed || query === '') return located;
  return located.includes('?') ? `${located}&${query.slice(1)}` : located + query;
}

function editBody(request: ProxyRequest, backend: Visit['backend']): Buffer {
  const { peek, passThrough, exchange } = request;
  if (peek === undefined || passThrough === undefined) return exchange.body;
  const set = new Map(backend.set);
  const { upstreamModel } = backend;
  if (upstreamModel !== undefined && upstreamModel !== peek.model) set.set('model', JSON.stringify(upstreamModel));
  const usage = usageOption(request, backend);
  if (usage !== undefined) set.set('stream_options', usage);
  if (set.size === 0 && backend.remove.size === 0) return exchange.body;
  return passThrough.rewrite(exchange.body, peek, { set, remove: backend.remove });
}

/** Streams of chat and completions say what they cost only if asked to. */
function usageOption(
  { operation, peek, stream, exchange }: ProxyRequest,
  backend: Visit['backend'],
): string | undefined {
  if (!stream || peek === undefined || peek.wantsUsage) return undefined;
  if (operation.protocol !== 'openai-chat' && operation.protocol !== 'openai-completions') return undefined;
  if (providerKind(backend.provider.config.type)?.usageOnRequest !== true) return undefined;
  const member = peek.members.find(({ name }) => name === 'stream_options');
  const given: unknown =
    member === undefined ? null : JSON.parse(exchange.body.toString('utf8', member.valueStart, member.valueEnd));
  return JSON.stringify({ ...(typeof given === 'object' ? given : null), include_usage: true });
}
