// Opens and closes the books of a request, and tells everyone who listens.

import type { AttemptRecord, Observer, Trail } from './trail.ts';

/** Several observers as one. What one throws must not hurt the request or the others. */
export function combineObservers(observers: readonly Observer[], failed: (error: unknown) => void): Required<Observer> {
  // Plain loops: this runs four times for every request, and a closure each time would cost more than what it tells.
  return {
    requestStarted(trail) {
      for (const observer of observers) {
        try {
          observer.requestStarted?.(trail);
        } catch (error) {
          failed(error);
        }
      }
    },
    attemptStarted(trail, attempt) {
      let headers: Readonly<Record<string, string>> | undefined;
      for (const observer of observers) {
        try {
          headers = observer.attemptStarted?.(trail, attempt) ?? headers;
        } catch (error) {
          failed(error);
        }
      }
      return headers;
    },
    attemptEnded(trail, attempt) {
      for (const observer of observers) {
        try {
          observer.attemptEnded?.(trail, attempt);
        } catch (error) {
          failed(error);
        }
      }
    },
    requestEnded(trail) {
      for (const observer of observers) {
        try {
          observer.requestEnded?.(trail);
        } catch (error) {
          failed(error);
        }
      }
    },
  };
}

/** What a new trail is made of. */
export interface TrailFacts {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly receivedAtMs: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
}

/** An empty trail. */
export function openTrail({ id, method, path, receivedAtMs, headers }: TrailFacts): Trail {
  const { traceparent, tracestate } = headers;
  return {
    id,
    method,
    path,
    startedAtMs: receivedAtMs,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    tracestate: typeof tracestate === 'string' ? tracestate : undefined,
    attempts: [],
  };
}

/** Closes an attempt once; later endings of the same attempt change nothing. */
export function closeAttempt(record: AttemptRecord, nowMs: number): boolean {
  if (record.endedAtMs !== undefined) return false;
  record.endedAtMs = nowMs;
  return true;
}
