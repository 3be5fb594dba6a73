// Several observers as one. An observer that throws must not cost anybody a request: it is reported, once, and goes on.

import type { AttemptRecord, Observer, Trail } from '../accounting/trail.ts';
import type { Log } from './log.ts';

/** Makes one observer of many; those that are off may be undefined. */
export function combineObservers(observers: readonly (Observer | undefined)[], log: Log): Observer {
  const present = observers.filter((observer) => observer !== undefined);
  let reported = false;
  const report = (error: unknown): void => {
    // Once: the same fault would come with every request.
    if (reported) return;
    reported = true;
    log.error({ error }, 'telemetry failed; requests are not affected');
  };
  const tell = (notify: (observer: Observer) => void): void => {
    for (const observer of present) {
      try {
        notify(observer);
      } catch (error) {
        report(error);
      }
    }
  };
  return {
    requestStarted: (trail: Trail) => tell((observer) => observer.requestStarted?.(trail)),
    attemptStarted(trail: Trail, attempt: AttemptRecord) {
      let headers: Readonly<Record<string, string>> | undefined;
      tell((observer) => {
        const more = observer.attemptStarted?.(trail, attempt);
        if (more !== undefined) headers = headers === undefined ? more : { ...headers, ...more };
      });
      return headers;
    },
    attemptEnded: (trail: Trail, attempt: AttemptRecord) => tell((observer) => observer.attemptEnded?.(trail, attempt)),
    requestEnded: (trail: Trail) => tell((observer) => observer.requestEnded?.(trail)),
  };
}
