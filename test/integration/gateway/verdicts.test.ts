// What an answer is taken for, and what that costs its backend.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { FailoverConfig } from '../../../proxy/config/schema.ts';
import { chat, chatFrames, chatRequest, chunkFrame, roleFrame } from '../../support/chat.ts';
import { ask, contentOf, errorOf, type PlainAnswer } from '../../support/client.ts';
import { backend } from '../../support/config.ts';
import { answer, stream } from '../../support/scripts.ts';
import { openStage, type Stage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const error = { error: { message: 'no', type: 'invalid_request_error', param: null, code: 'nope' } };

let asked = 0;

function askChat(stage: Stage<string>, members: object = {}): Promise<PlainAnswer> {
  return ask(stage.chatURL, { body: { ...chatRequest(`verdict ${asked++}`), ...members } });
}

async function stateOf(stage: Stage<string>, name: string): Promise<string> {
  const { state, reason, models } = await stage.gateway.backend(`default/chat/${name}`);
  return reason ?? models[0]?.reason ?? state;
}

describe('statusCodes', () => {
  const allButOk: Partial<FailoverConfig> = { statusCodes: [[201, 599]] };

  it.each([201, 204, 302, 400, 404, 413, 418, 422, 451, 500, 599])(
    'of 201-599 make %i a failure that goes elsewhere and counts',
    async (status) => {
      await using stage = await openStage({ a: answer(error, { status }), b: chat('b') }, { failover: allButOk });
      expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
      expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
      expect(stage.upstreams.a.requests).toHaveLength(1);
    },
  );

  it('leave everything else as it is', async () => {
    await using stage = await openStage(
      { a: answer(error, { status: 418 }), b: chat('b') },
      { failover: { statusCodes: [[419, 420]] } },
    );
    expect((await askChat(stage)).status).toBe(418);
    expect(stage.upstreams.b.requests).toHaveLength(0);
    expect(await stateOf(stage, 'a')).toBe('enabled');
  });

  it('do not take a request down that is wrong everywhere without telling what is wrong with it', async () => {
    await using stage = await openStage(
      { a: answer(error, { status: 400 }), b: answer(error, { status: 400 }) },
      { failover: allButOk },
    );
    const refused = await askChat(stage);
    expect([refused.status, errorOf(refused).code]).toEqual([400, 'nope']);
    expect(refused.headers['x-sluice-attempts']).toBe('2');
  });
});

describe('an empty answer', () => {
  it.each([false, true])(
    'goes elsewhere, and is passed on where nobody has more to say (stream: %s)',
    async (streamed) => {
      await using stage = await openStage({ a: chat('a', { words: 0 }), b: chat('b', { words: 0 }) });
      const answered = await askChat(stage, { stream: streamed });
      expect([answered.status, answered.headers['x-sluice-backend']]).toEqual([200, 'a']);
      expect(answered.headers['x-sluice-attempts']).toBe('2');
      if (streamed) expect(answered.text).toContain('[DONE]');
      else expect(contentOf(answered)).toBe('');
      expect(await stateOf(stage, 'a')).toBe('InvalidResponse');
    },
  );

  it('gives way to a backend that fails: then the empty one is still an answer', async () => {
    await using stage = await openStage({ a: chat('a', { words: 0 }), b: answer('', { status: 500 }) });
    const answered = await askChat(stage);
    expect([answered.status, contentOf(answered)]).toEqual([200, '']);
  });

  it.each([
    ['a content filter', 'content_filter'],
    ['tokens spent on reasoning', 'length'],
  ])('is an answer where it is empty for %s', async (_why, finish) => {
    const usage = { prompt_tokens: 3, completion_tokens: finish === 'length' ? 50 : 0, total_tokens: 53 };
    const choices = [{ index: 0, message: { role: 'assistant', content: null }, finish_reason: finish }];
    await using stage = await openStage({ a: answer({ choices, usage }), b: chat('b') });
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('a');
    expect(await stateOf(stage, 'a')).toBe('enabled');
  });
});

describe('a body that is poison', () => {
  const body = chatRequest('poison');
  const broken = answer('', { status: 500 });

  it('disables the first backend that it breaks, and not the second', async () => {
    await using stage = await openStage({ a: broken, b: broken, c: broken });
    await ask(stage.chatURL, { body });
    expect([await stateOf(stage, 'a'), await stateOf(stage, 'b'), await stateOf(stage, 'c')]).toEqual([
      'ServerError',
      'enabled',
      'enabled',
    ]);
    // Another body is no excuse.
    await askChat(stage);
    expect(await stateOf(stage, 'b')).toBe('ServerError');
  });

  it('is no excuse for any other failure than a 500', async () => {
    await using stage = await openStage({ a: broken, b: answer('', { status: 502 }), c: (it) => it.reset() });
    await ask(stage.chatURL, { body });
    expect([await stateOf(stage, 'b'), await stateOf(stage, 'c')]).toEqual(['ServerError', 'Connect']);
  });
});

describe('disable', () => {
  it('takes as many failures as the route says, within the window', async () => {
    const disable = { failures: 3, windowSeconds: 0.5, seconds: 60 };
    await using stage = await openStage({ a: answer('', { status: 502 }), b: chat('b') }, { failover: { disable } });
    await askChat(stage);
    await askChat(stage);
    expect(await stateOf(stage, 'a')).toBe('enabled');
    await delay(600);
    await askChat(stage);
    expect(await stateOf(stage, 'a')).toBe('enabled');
    await askChat(stage);
    await askChat(stage);
    expect(await stateOf(stage, 'a')).toBe('ServerError');
    await askChat(stage);
    expect(stage.upstreams.a.requests).toHaveLength(5);
  });

  it('of 0 seconds never disables a backend', async () => {
    const disable = { failures: 1, windowSeconds: 60, seconds: 0 };
    await using stage = await openStage({ a: answer('', { status: 500 }), b: chat('b') }, { failover: { disable } });
    for (let time = 0; time < 4; time += 1) expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
    expect(stage.upstreams.a.requests).toHaveLength(4);
    expect(await stateOf(stage, 'a')).toBe('enabled');
  });
});

describe('a model that is not found', () => {
  const notFound = answer({ error: { message: 'no such model', code: 'model_not_found' } }, { status: 404 });

  it('rests the backend that names it itself', async () => {
    await using stage = await openStage(
      { a: notFound, b: chat('b') },
      { rule: { backends: [backend('a', { model: 'm' }), backend('b', { priority: 1 })] } },
    );
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('b');
    expect(await stateOf(stage, 'a')).toBe('ModelNotFound');
  });

  it('costs nobody anything where the client named it, and is 404 where nobody has it', async () => {
    await using stage = await openStage({ a: notFound, b: notFound });
    const refused = await askChat(stage, { model: 'invented' });
    expect([refused.status, errorOf(refused).code]).toEqual([404, 'model_not_found']);
    expect([await stateOf(stage, 'a'), await stateOf(stage, 'b')]).toEqual(['enabled', 'enabled']);
  });
});

describe('a request longer than the context', () => {
  const tooLong = answer(
    { error: { message: 'maximum context length is 8192 tokens', code: 'context_length_exceeded' } },
    { status: 400 },
  );

  async function openSized(sizes: Record<string, number | undefined>, scripts: Record<string, Script>) {
    return openStage(scripts, {
      rule: { backends: Object.keys(scripts).map((name, priority) => backend(name, { model: 'm', priority })) },
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map((it) => {
          const size = sizes[it.id.slice('default/'.length)];
          return size === undefined
            ? it
            : { ...it, models: [{ name: 'm', upstreamName: 'm', maxContextTokens: size }] };
        }),
      }),
    });
  }

  it('goes to a backend that declares a larger one, and to no other', async () => {
    const scripts = { small: tooLong, other: chat('other'), same: chat('same'), large: chat('large') };
    await using stage = await openSized({ small: 8192, same: 8192, large: 128_000 }, scripts);
    expect((await askChat(stage)).headers['x-sluice-backend']).toBe('large');
    expect(stage.upstreams['other']?.requests).toHaveLength(0);
    expect(stage.upstreams['same']?.requests).toHaveLength(0);
    expect(await stateOf(stage, 'small')).toBe('enabled');
  });

  it('is the client’s to mend where there is none', async () => {
    await using stage = await openSized({ a: 8192, b: 8192 }, { a: tooLong, b: chat('b') });
    const refused = await askChat(stage);
    expect([refused.status, errorOf(refused).code]).toEqual([400, 'context_length_exceeded']);
    expect(errorOf(refused).message).toContain('8192');
  });
});

describe('a stream', () => {
  it('that ends in an abort of the engine after content is told to have failed', async () => {
    await using stage = await openStage({
      a: ({ request, ...rest }) =>
        stream([
          ...chatFrames('a', request, {}).slice(0, 4),
          chunkFrame(request, { choices: [{ index: 0, delta: {}, finish_reason: 'abort' }] }),
          'data: [DONE]\n\n',
        ])({ request, ...rest }),
    });
    const answered = await askChat(stage, { stream: true });
    expect(answered.text).toMatch(/data: \{"error":\{[^\n]*\}\}\n\n$/);
    expect(answered.text).not.toContain('[DONE]');
    expect(answered.text).not.toContain('"abort"');
  });

  it('[60] of several choices is whole when all of them have ended', async () => {
    const choice = (index: number, content: string | undefined, finish: string | null) => ({
      choices: [{ index, delta: content === undefined ? {} : { content }, finish_reason: finish }],
    });
    await using stage = await openStage({
      a: ({ request, ...rest }) =>
        stream([
          roleFrame(request),
          chunkFrame(request, choice(0, 'a', null)),
          chunkFrame(request, choice(1, 'b', null)),
          chunkFrame(request, choice(0, undefined, 'stop')),
        ])({ request, ...rest }),
    });
    expect((await askChat(stage, { stream: true, n: 2 })).text).toContain('"code":"stream_truncated"');
    expect(await stateOf(stage, 'a')).toBe('Truncated');
  });

  it('with tool calls and no text has content', async () => {
    await using stage = await openStage({
      a: ({ request, ...rest }) => {
        const call = { index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
        return stream([
          roleFrame(request),
          chunkFrame(request, { choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: null }] }),
          chunkFrame(request, { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
          'data: [DONE]\n\n',
        ])({ request, ...rest });
      },
    });
    expect((await askChat(stage, { stream: true })).text).toMatch(/"tool_calls"[^]*\[DONE\]\n\n$/);
  });
});
