// Whatever an upstream does before its first content, the client gets the answer of another one.

import { describe, expect, it } from 'vitest';
import { chat, chatRequest, markedText } from '../../support/chat.ts';
import { ask, contentOf, errorOf, streamedContentOf } from '../../support/client.ts';
import { type Fault, faults, slowFaults } from '../../support/faults.ts';
import { answer } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';

const shortTimeouts = { firstContentSeconds: 0.3, responseSeconds: 0.3, idleSeconds: 0.3 };

const cases = [
  ...Object.entries(faults).flatMap(([name, fault]) =>
    kinds(fault).map((kind) => ({ name, kind, fault, slow: false })),
  ),
  ...Object.entries(slowFaults).flatMap(([name, fault]) =>
    kinds(fault).map((kind) => ({ name, kind, fault, slow: true })),
  ),
];

function kinds({ only }: Fault): readonly ('stream' | 'whole')[] {
  return only === undefined ? ['whole', 'stream'] : [only];
}

describe('fails over to the next backend', () => {
  it.each(cases)('for $name, in a $kind answer', async ({ kind, fault, slow }) => {
    await using stage = await openStage(
      { dud: fault.script, good: chat('good') },
      { rule: { timeouts: slow ? shortTimeouts : {} } },
    );
    const { dud, good } = stage.upstreams;
    const answer = await ask(stage.chatURL, { body: chatRequest('one', { stream: kind === 'stream' }) });

    expect(answer.status).toBe(200);
    expect(kind === 'stream' ? streamedContentOf(answer) : contentOf(answer)).toBe(markedText('good', 'one'));
    expect(answer.headers['x-sluice-backend']).toBe('good');
    expect(answer.headers['x-sluice-attempts']).toBe('2');
    expect(answer.headers['x-sluice-error']).toBeUndefined();
    expect([dud.requests.length, good.requests.length]).toEqual([1, 1]);
    expect(good.requests[0]?.body.toString()).toBe(dud.requests[0]?.body.toString());
    const state = await stage.gateway.backend('default/chat/dud');
    const reason = state.reason ?? state.models[0]?.reason;
    expect(reason).toBe(fault.disables);
  });

  it.each(['whole', 'stream'])('for a refused connection, in a %s answer', async (kind) => {
    await using stage = await openStage({ dud: chat('dud'), good: chat('good') });
    await stage.upstreams.dud.refuse();
    const answer = await ask(stage.chatURL, { body: chatRequest('one', { stream: kind === 'stream' }) });
    expect(kind === 'stream' ? streamedContentOf(answer) : contentOf(answer)).toBe(markedText('good', 'one'));
    expect(await stage.gateway.backend('default/chat/dud')).toMatchObject({ state: 'disabled', reason: 'Connect' });
  });

  it.each([
    { name: 'a bad request', status: 400, code: 'invalid_value' },
    { name: 'an unprocessable request', status: 422, code: 'invalid_value' },
    { name: 'a request that is too large', status: 413, code: 'too_large' },
  ])('but not for $name, which every backend would refuse', async ({ status, code }) => {
    const body = JSON.stringify({
      error: { message: 'temperature is too high', type: 'invalid_request_error', param: 'temperature', code },
    });
    await using stage = await openStage({ first: answer(body, { status }), good: chat('good') });
    for (let time = 0; time < 3; time += 1) {
      const refused = await ask(stage.chatURL, { body: chatRequest('poison') });
      expect(refused.status).toBe(status);
      expect(errorOf(refused)).toMatchObject({ message: 'temperature is too high', param: 'temperature', code });
      expect(refused.headers['x-should-retry']).toBe('false');
    }
    expect(stage.upstreams.good.requests).toHaveLength(0);
    expect(await stage.gateway.backend('default/chat/first')).toMatchObject({ state: 'enabled' });
  });
});
