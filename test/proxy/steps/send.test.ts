// Requests that have to wait for something before they can be sent: for their signature.

import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../proxy/config/snapshot.ts';
import { noIdentity } from '../../../proxy/providers/cloud-identity.ts';
import type { ProviderKind } from '../../../proxy/providers/provider-kind.ts';
import { sendAttempt, type SendSettings, type SentAttempt } from '../../../proxy/steps/send.ts';
import { settled, TestClock } from '../../support/clock.ts';
import { backendIn, journeyOf, requestOf, snapshotOf } from './request-rig.ts';

interface Dispatched {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Sends a request to a backend, over connections that only note what they are given. */
class SendRig {
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

  send(backend: Backend, body: object, path = '/chat/chat/completions'): SentAttempt {
    const journey = journeyOf(snapshot, requestOf(snapshot, { path, body }));
    return sendAttempt(
      journey,
      { backend, timeouts: backend.timeouts, disabled: false, early: false },
      undefined,
      this.settings,
    );
  }
}

const snapshot = snapshotOf({ plain: {} });
const plain = backendIn(snapshot, 'plain');

function signedBy(sign: NonNullable<ProviderKind['sign']>): Backend {
  return { ...plain, provider: { ...plain.provider, kind: { ...plain.provider.kind, sign } } };
}

describe('a request that has to be signed', () => {
  it('is signed as it goes out, trace context included', async () => {
    const rig = new SendRig();
    const backend = signedBy(({ method, origin, path, headers, body: signed }, { nowMs }) => {
      return Promise.resolve({
        authorization: `${method} ${origin}${path} ${headers['traceparent']} ${signed?.length} ${nowMs}`,
      });
    });
    rig.send(backend, { model: 'm' });
    await settled();
    const [request] = rig.dispatched;
    const length = request?.body.length;
    expect(request?.headers['authorization']).toBe(
      `POST http://upstream.example/chat/completions 00-1-2-01 ${length} ${rig.clock.now()}`,
    );
  });

  it('fails as a bad credential where it cannot be signed', async () => {
    const rig = new SendRig();
    const backend = signedBy(() => {
      throw new Error('the secret is no JSON: hunter2');
    });
    const outcome = await rig.send(backend, { model: 'm' }).outcome;
    expect(outcome).toMatchObject({ type: 'failed', signal: { type: 'answer', status: 401 } });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  });
});
