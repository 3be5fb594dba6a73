// Requests that have to wait for something before they can be sent: for their signature.

import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../proxy/config/snapshot.ts';
import type { ProviderKind } from '../../../proxy/providers/provider-kind.ts';
import type { SentAttempt } from '../../../proxy/steps/send.ts';
import { settled } from '../../support/clock.ts';
import { backendIn, journeyOf, requestOf, snapshotOf } from './request-rig.ts';
import { SendRig } from './send-rig.ts';

const snapshot = snapshotOf({
  plain: {},
  titan: {
    provider: { type: 'Bedrock', bedrock: { region: 'eu-central-1' } },
    backend: { model: 'amazon.titan-embed-text-v2:0' },
  },
});
const plain = backendIn(snapshot, 'plain');
const titan = backendIn(snapshot, 'titan');

function send(rig: SendRig, backend: Backend, body: object, path = '/chat/chat/completions'): SentAttempt {
  return rig.send(journeyOf(snapshot, requestOf(snapshot, { path, body })), backend);
}

function signedBy(sign: NonNullable<ProviderKind['sign']>, of = plain): Backend {
  return { ...of, provider: { ...of.provider, kind: { ...of.provider.kind, sign } } };
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

  it('is signed part by part, each when its turn comes, and no further once one cannot be', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    process.on('unhandledRejection', note);
    let signed = 0;
    const backend = signedBy(() => {
      signed += 1;
      return Promise.reject(new Error('no credential'));
    }, titan);
    const input = Array.from({ length: 100 }, (_, index) => `text ${index}`);
    const outcome = await send(new SendRig(), backend, { model: 'm', input }, '/chat/embeddings').outcome;
    // Node tells of rejections that nobody has taken at the end of a turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(outcome).toMatchObject({ type: 'failed', signal: { type: 'answer', status: 401 } });
    expect(rejections).toEqual([]);
    // As many as are under way at once.
    expect(signed).toBe(8);
  });
});
