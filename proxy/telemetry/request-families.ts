// The metrics of the request path, by name. Buckets and labels are closed sets (labels.ts); routes and backends come
// from the configuration only.

import { durationBounds, firstContentBounds } from './labels.ts';
import {
  createCounters,
  createHistograms,
  type ChildFamily,
  type Counter,
  type Family,
  type Histogram,
} from './series.ts';

/** Every metric that requests and attempts are counted in. */
export interface RequestFamilies {
  readonly requests: ChildFamily<Counter>;
  readonly requestSeconds: ChildFamily<Histogram>;
  readonly firstContentSeconds: ChildFamily<Histogram>;
  readonly errors: ChildFamily<Counter>;
  readonly failovers: ChildFamily<Counter>;
  readonly retries: ChildFamily<Counter>;
  readonly attempts: ChildFamily<Counter>;
  readonly attemptSeconds: ChildFamily<Histogram>;
  readonly attemptFirstContentSeconds: ChildFamily<Histogram>;
  readonly failures: ChildFamily<Counter>;
  readonly tokens: ChildFamily<Counter>;
  readonly malformedFrames: ChildFamily<Counter>;
}

/** Makes the families of the request path. */
export function createRequestFamilies(): RequestFamilies {
  const backend = ['route', 'backend'];
  return {
    requests: createCounters({
      name: 'sluice_requests_total',
      help: 'Requests by route, client protocol, status sent and how they ended for the client.',
      labelNames: ['route', 'protocol', 'code', 'outcome'],
    }),
    requestSeconds: createHistograms({
      name: 'sluice_request_duration_seconds',
      help: 'From the head of a request to the last byte of its answer.',
      labelNames: ['route', 'outcome'],
      bounds: durationBounds,
    }),
    firstContentSeconds: createHistograms({
      name: 'sluice_request_time_to_first_content_seconds',
      help: 'From the head of a request to the first content of its answer, failovers included.',
      labelNames: ['route'],
      bounds: firstContentBounds,
    }),
    errors: createCounters({
      name: 'sluice_errors_total',
      help: 'Answers that were errors made by Sluice, by error code.',
      labelNames: ['route', 'error'],
    }),
    failovers: createCounters({
      name: 'sluice_failovers_total',
      help: 'Attempts on another backend, by the class of the failure before.',
      labelNames: ['route', 'class'],
    }),
    retries: createCounters({
      name: 'sluice_retries_total',
      help: 'Attempts on the same backend again (next="same" key or next="key"), by the class of the failure before.',
      labelNames: ['route', 'class', 'next'],
    }),
    attempts: createCounters({
      name: 'sluice_attempts_total',
      help: 'Requests sent to upstreams: success, failure, or abandoned because nobody waited any more.',
      labelNames: [...backend, 'outcome'],
    }),
    attemptSeconds: createHistograms({
      name: 'sluice_attempt_duration_seconds',
      help: 'From sending a request to an upstream to the end of its answer.',
      labelNames: [...backend, 'outcome'],
      bounds: durationBounds,
    }),
    attemptFirstContentSeconds: createHistograms({
      name: 'sluice_attempt_time_to_first_content_seconds',
      help: 'From sending a request to an upstream to the first content of its answer.',
      labelNames: backend,
      bounds: firstContentBounds,
    }),
    failures: createCounters({
      name: 'sluice_failures_total',
      help: 'Failed attempts by class of failure.',
      labelNames: [...backend, 'class'],
    }),
    tokens: createCounters({
      name: 'sluice_tokens_total',
      help: 'Tokens as upstreams counted them. Cached ones are part of the input, reasoning ones part of the output.',
      labelNames: [...backend, 'type'],
    }),
    malformedFrames: createCounters({
      name: 'sluice_malformed_frames_total',
      help: 'Frames of streamed answers that were dropped because they were not what the protocol says.',
      labelNames: backend,
    }),
  };
}

/** All families of the request path, in the order in which they are written. */
export function listFamilies(families: RequestFamilies): readonly Family[] {
  return Object.values(families);
}
