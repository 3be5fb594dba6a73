// Opens and closes the books of a request, and tells everyone who listens.

import type { AttemptRecord, Observer, Trail } from './trail.ts';

/** Several observers as one. What one throws must not hurt the request or the others. */
export function combineObservers(observers: readonly Observer[], failed: (error: unknown) => void): Required<Observer> {
  const starters = observers.filter((observer) => observer.attemptStarted !== undefined);
  return {
    requestStarted: tellAll(observers, 'requestStarted', failed),
    attemptStarted(trail, attempt) {
      let headers: Readonly<Record<string, string>> | undefined;
      for (const observer of starters) {
        try {
          headers = observer.attemptStarted?.(trail, attempt) ?? headers;
        } catch (error) {
          failed(error);
        }
      }
      return headers;
    },
    attemptAnswered: tellAll(observers, 'attemptAnswered', failed),
    attemptEnded: tellAll(observers, 'attemptEnded', failed),
    requestEnded: tellAll(observers, 'requestEnded', failed),
  };
}

/** A plain loop over those who listen: it runs for every request, and closures would cost more than what they tell. */
function tellAll<Event extends 'requestStarted' | 'attemptAnswered' | 'attemptEnded' | 'requestEnded'>(
  observers: readonly Observer[],
  event: Event,
  failed: (error: unknown) => void,
): (trail: Trail, attempt?: AttemptRecord) => void {
  const listeners = observers.filter((observer) => observer[event] !== undefined);
  return (trail, attempt) => {
    for (const observer of listeners) {
      try {
        // Only events of attempts take the second argument, and are never called without.
        observer[event]?.(trail, attempt as AttemptRecord);
      } catch (error) {
        failed(error);
      }
    }
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
