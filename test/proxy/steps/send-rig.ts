// What sends requests of the steps, over connections that only note what they are given.

import type { Backend } from '../../../proxy/config/snapshot.ts';
import { noIdentity } from '../../../proxy/providers/cloud-identity.ts';
import type { Journey } from '../../../proxy/steps/journey.ts';
import { sendAttempt, type SendSettings, type SentAttempt } from '../../../proxy/steps/send.ts';
import { TestClock } from '../../support/clock.ts';

interface Dispatched {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Sends a request to a backend, over connections that only note what they are given. */
export class SendRig {
  readonly dispatched: Dispatched[] = [];
  readonly clock = new TestClock();
  readonly settings: SendSettings;

  constructor() {
    const dispatch = (request: { path: string; headers?: unknown; body?: unknown }): boolean => {
      const { path, headers, body } = request;
      this.dispatched.push({ path, headers: headers as Dispatched['headers'], body: String(body) });
      return true;
    };
    const close = (): Promise<void> => Promise.resolve();
    const pool = { dispatch, fresh: { dispatch }, close, destroy: close } as never;
    const nothing = (): undefined => undefined;
    this.settings = {
      clock: this.clock,
      identity: noIdentity,
      tokens: { tokenFor: () => Promise.reject(new Error('there are none')) },
      upstreams: { pool: () => pool, retain: nothing, close },
      observer: {
        requestStarted: nothing,
        attemptStarted: () => ({ traceparent: '00-1-2-01' }),
        attemptAnswered: nothing,
        attemptEnded: nothing,
        requestEnded: nothing,
      },
      onMalformed: nothing,
    };
  }

  send(journey: Journey, backend: Backend): SentAttempt {
    return sendAttempt(
      journey,
      { backend, timeouts: backend.timeouts, disabled: false, early: false },
      undefined,
      this.settings,
    );
  }
}
