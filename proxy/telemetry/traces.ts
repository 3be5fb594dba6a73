// Spans: one per request, one per attempt below it. OpenTelemetry is loaded only if there is somewhere to send spans:
// it costs about 30 MB of memory and a third of a second of start-up, and nobody pays for what is off.

import type * as openTelemetryApi from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { AttemptRecord, Observer, Trail } from '../accounting/trail.ts';
import type { Clock } from '../canonical/clock.ts';
import type { Log } from './log.ts';
import * as attributes from './span-attributes.ts';
import { parseTraceparent, toTraceHeaders } from './trace-context.ts';
import { attemptOutcome } from './trail-facts.ts';

/** Spans of the last seconds are worth waiting for, a collector that is gone is not. */
const shutdownMs = 5000;

/** What traces are made of. */
export interface TracesOptions {
  /**
   * Where spans go, or undefined for no traces. Only says whether: the SDK reads OTEL_EXPORTER_OTLP_ENDPOINT,
   * OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and the rest of its variables by itself.
   */
  readonly endpoint: string | undefined;
  /** OTEL_SERVICE_NAME. The SDK would read it only together with facts about the process that must not get out. */
  readonly serviceName: string | undefined;
  readonly proxyId: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Traces that are on. */
export interface Traces {
  readonly observer: Observer;
  /** Sends what waits, for a few seconds at most. Never rejects. */
  shutdown(): Promise<void>;
}

/** Loads OpenTelemetry and starts it; undefined without an endpoint, or if OpenTelemetry's own variables switch it off. */
export async function createTraces(options: TracesOptions): Promise<Traces | undefined> {
  const { endpoint, serviceName, proxyId, version, clock, log } = options;
  if (endpoint === undefined || endpoint === '') return undefined;
  const [api, { startNodeSdk }] = await Promise.all([import('@opentelemetry/api'), import('@opentelemetry/sdk-node')]);
  // The SDK writes to the console by default; metrics and logs have their own ways out of Sluice.
  const sdk = startNodeSdk({
    logLevel: 'none',
    metricReaders: [],
    logRecordProcessors: [],
    // Instead of the default detectors, which tell the command line, and with it whatever credentials stand there.
    resourceDetectors: [{ detect: () => ({ attributes: defaultResource(proxyId, version) }) }],
    resourceAttributes: serviceName ? { 'service.name': serviceName } : {},
  });
  api.diag.setLogger(diagnosticsTo(log), { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true });
  const tracer = api.trace.getTracer('sluice', version);
  // A span that is never ended is never sent: this one only asks whether there is an SDK behind the tracer.
  const on = api.isSpanContextValid(tracer.startSpan('probe', { root: true }).spanContext());
  if (!on) log.warn({}, 'traces are off: OpenTelemetry did not start, or its variables say so');
  const observer = on ? createSpanObserver(api, tracer) : undefined;
  const shutdown = async (): Promise<void> => {
    await settledWithin(sdk.shutdown(), clock);
    for (const part of [api.trace, api.context, api.propagation, api.diag]) part.disable();
  };
  if (observer !== undefined) return { observer, shutdown };
  await shutdown();
  return undefined;
}

/** Who sends the spans, unless OTEL_RESOURCE_ATTRIBUTES says otherwise. */
function defaultResource(proxyId: string, version: string): Attributes {
  return { 'service.name': 'sluice', 'service.version': version, 'service.instance.id': proxyId };
}

type OpenTelemetryApi = typeof openTelemetryApi;

/** The spans of one request that has not ended. */
interface OpenSpans {
  readonly request: Span;
  readonly context: Context;
  readonly attempts: Map<AttemptRecord, Span>;
}

function createSpanObserver(api: OpenTelemetryApi, tracer: Tracer): Observer {
  const open = new WeakMap<Trail, OpenSpans>();
  return {
    requestStarted(trail) {
      const parent = parentContext(api, trail);
      const request = tracer.startSpan(
        attributes.requestSpanName(trail),
        {
          kind: api.SpanKind.SERVER,
          startTime: trail.startedAtMs,
          attributes: attributes.requestStartAttributes(trail),
        },
        parent,
      );
      open.set(trail, { request, context: api.trace.setSpan(parent, request), attempts: new Map() });
    },
    attemptStarted(trail, attempt) {
      const spans = open.get(trail);
      if (spans === undefined) return undefined;
      const span = tracer.startSpan(
        attributes.attemptSpanName(trail, attempt),
        {
          kind: api.SpanKind.CLIENT,
          startTime: attempt.startedAtMs,
          attributes: attributes.attemptStartAttributes(trail, attempt),
        },
        spans.context,
      );
      spans.attempts.set(attempt, span);
      return toTraceHeaders(span.spanContext());
    },
    attemptEnded(trail, attempt) {
      // The one that succeeded waits for the end of the request, which knows its usage.
      if (attemptOutcome(attempt) === 'success') return;
      const spans = open.get(trail);
      const span = spans?.attempts.get(attempt);
      if (spans === undefined || span === undefined) return;
      spans.attempts.delete(attempt);
      endAttempt(api, { span, attempt, trail });
    },
    requestEnded(trail) {
      const spans = open.get(trail);
      if (spans === undefined) return;
      open.delete(trail);
      for (const [attempt, span] of spans.attempts) endAttempt(api, { span, attempt, trail });
      endRequest(api, spans.request, trail);
    },
  };
}

/** The caller's span, if it named one. */
function parentContext(api: OpenTelemetryApi, { traceparent, tracestate }: Trail): Context {
  const parent = parseTraceparent(traceparent);
  if (parent === undefined) return api.ROOT_CONTEXT;
  return api.trace.setSpanContext(api.ROOT_CONTEXT, {
    ...parent,
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: api.createTraceState(tracestate) }),
  });
}

interface AttemptSpan {
  readonly span: Span;
  readonly attempt: AttemptRecord;
  readonly trail: Trail;
}

function endAttempt(api: OpenTelemetryApi, { span, attempt, trail }: AttemptSpan): void {
  if (span.isRecording()) {
    span.setAttributes(attributes.attemptEndAttributes(attempt, attempt.usage, trail.stream === true));
    if (attempt.firstContentAtMs) span.addEvent('first content', attempt.firstContentAtMs);
    if (attempt.failure !== undefined)
      span.setStatus({ code: api.SpanStatusCode.ERROR, message: attempt.failure.class });
  }
  span.end(attempt.endedAtMs ?? trail.endedAtMs);
}

function endRequest(api: OpenTelemetryApi, span: Span, trail: Trail): void {
  if (span.isRecording()) {
    span.updateName(attributes.requestSpanName(trail));
    span.setAttributes(attributes.requestEndAttributes(trail));
    if (attributes.isError(trail)) span.setStatus({ code: api.SpanStatusCode.ERROR, message: trail.errorCode ?? '' });
  }
  span.end(trail.endedAtMs);
}

/** OpenTelemetry's own complaints (a collector that refuses spans, say) as lines of the log. */
function diagnosticsTo(log: Log): Record<'error' | 'warn' | 'info' | 'debug' | 'verbose', (message: string) => void> {
  const ignore = (): void => undefined;
  return {
    error: (message) => log.warn({ detail: message }, 'OpenTelemetry reports an error'),
    warn: (message) => log.warn({ detail: message }, 'OpenTelemetry reports a problem'),
    info: ignore,
    debug: ignore,
    verbose: ignore,
  };
}

async function settledWithin(work: Promise<void>, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = clock.setTimer(shutdownMs, resolve);
    const settle = (): void => {
      timer.cancel();
      resolve();
    };
    work.then(settle, settle);
  });
}
