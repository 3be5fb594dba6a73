// Requests that have to wait for something before they can be sent: for their signature.

import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../proxy/config/snapshot.ts';
import type { ProviderKind } from '../../../proxy/providers/provider-kind.ts';
import type { SentAttempt } from '../../../proxy/steps/send.ts';
import { settled } from '../../support/clock.ts';
import { backendIn, journeyOf, requestOf, snapshotOf } from './request-rig.ts';
import { SendRig } from './send-rig.ts';

const snapshot = snapshotOf({ plain: {} });
const plain = backendIn(snapshot, 'plain');

function send(rig: SendRig, backend: Backend, body: object, path = '/chat/chat/completions'): SentAttempt {
  return rig.send(journeyOf(snapshot, requestOf(snapshot, { path, body })), backend);
}

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
    send(rig, backend, { model: 'm' });
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
    const outcome = await send(rig, backend, { model: 'm' }).outcome;
    expect(outcome).toMatchObject({ type: 'failed', signal: { type: 'answer', status: 401 } });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
  });
});
