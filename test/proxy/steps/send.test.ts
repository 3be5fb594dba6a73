// Requests that have to wait for something before they can be sent.

import { describe, expect, it } from 'vitest';
import { ClientError } from '../../../proxy/canonical/client-error.ts';
import type { Backend } from '../../../proxy/config/snapshot.ts';
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

  constructor(differs: Partial<SendSettings> = {}) {
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
      upstreams: { pool: () => pool, retain: nothing, close },
      observer: {
        requestStarted: nothing,
        attemptStarted: () => ({ traceparent: '00-1-2-01' }),
        attemptAnswered: nothing,
        attemptEnded: nothing,
        requestEnded: nothing,
      },
      onMalformed: nothing,
      ...differs,
    };
  }

  send(backend: Backend, body: object, path = '/chat/chat/completions'): SentAttempt {
    const journey = journeyOf(snapshot, requestOf(snapshot, { path, body }));
    return sendAttempt(journey, { backend, timeouts: backend.timeouts, disabled: false }, undefined, this.settings);
  }
}

const snapshot = snapshotOf({ ollama: { provider: { type: 'Ollama' } }, plain: {} });
const ollama = backendIn(snapshot, 'ollama');
const plain = backendIn(snapshot, 'plain');
const url = 'https://pictures.example/a.png';
const body = { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] };

function signedBy(sign: NonNullable<ProviderKind['sign']>): Backend {
  return { ...plain, provider: { ...plain.provider, kind: { ...plain.provider.kind, sign } } };
}

describe('a request that names addresses', () => {
  it('is sent when what is there has been fetched', async () => {
    const source = { type: 'base64', mediaType: 'image/png', data: 'AAAA' } as const;
    const rig = new SendRig({
      resolveSources: async (request) => ({
        ...request,
        messages: [{ role: 'user', content: [{ type: 'image', source }] }],
      }),
    });
    rig.send(ollama, body);
    expect(rig.dispatched).toEqual([]);
    await settled();
    expect(rig.dispatched.map(({ path }) => path)).toEqual(['/api/chat']);
    expect(rig.dispatched[0]?.body).toContain('AAAA');
    expect(rig.dispatched[0]?.headers['traceparent']).toBe('00-1-2-01');
  });

  it('fails as the client’s fault where that cannot be fetched', async () => {
    const message = `${url} cannot be fetched.`;
    const rig = new SendRig({ resolveSources: () => Promise.reject(new ClientError('invalid_request', { message })) });
    const outcome = await rig.send(ollama, body).outcome;
    expect(outcome).toMatchObject({ type: 'failed', signal: { type: 'answer', status: 400 } });
    expect(JSON.stringify(outcome)).toContain(message);
    expect(rig.dispatched).toEqual([]);
  });

  it('is not sent any more where nobody waits for it', async () => {
    const rig = new SendRig({ resolveSources: (request) => Promise.resolve(request) });
    const attempt = rig.send(ollama, body);
    attempt.abort();
    expect(await attempt.outcome).toEqual({ type: 'aborted' });
    await settled();
    expect(rig.dispatched).toEqual([]);
  });

  it('does not wait longer than for the whole request', async () => {
    const rig = new SendRig({ resolveSources: () => new Promise(() => undefined) });
    const attempt = rig.send(ollama, body);
    rig.clock.turn(400_000);
    expect(await attempt.outcome).toEqual({ type: 'deadline' });
  });
});

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
