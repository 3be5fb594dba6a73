// Each deadline by itself, with small values: what it ends, what it does not end, and whom it is held against.

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chat, chatFrames, chatRequest, contentFrame, roleFrame } from '../../support/chat.ts';
import { ask, errorOf } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { answer, stopAfter, stopAtOnce, streamHead } from '../../support/scripts.ts';
import { openStage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';
import { encodeChunk, encodeHead, lastChunk } from '../../support/upstream-wire.ts';

const whole = chatRequest('one');
const streamed = chatRequest('one', { stream: true });

async function timed<T>(task: Promise<T>): Promise<{ readonly result: T; readonly tookMs: number }> {
  const beganAtMs = performance.now();
  const result = await task;
  return { result, tookMs: performance.now() - beganAtMs };
}

/** Sends the frames of a stream with waits between them, given in milliseconds before each. */
function paced(...waits: readonly number[]): Script {
  return async (exchange) => {
    const frames = chatFrames('paced', exchange.request, { words: waits.length });
    await exchange.send(Buffer.concat([streamHead(), encodeChunk(frames[0] ?? '')]));
    for (const [index, wait] of waits.entries()) {
      await exchange.wait(wait);
      await exchange.send(encodeChunk(frames[index + 1] ?? ''));
    }
    for (const frame of frames.slice(waits.length + 1)) await exchange.send(encodeChunk(frame));
    await exchange.send(lastChunk);
  };
}

describe('responseSeconds', () => {
  it('is the time for the head of an answer that is no stream', async () => {
    await using stage = await openStage(
      { slow: chat('slow', { afterMs: 2000 }), good: chat('good') },
      { rule: { timeouts: { responseSeconds: 0.3, firstContentSeconds: 0.1 } } },
    );
    const { result, tookMs } = await timed(ask(stage.chatURL, { body: whole }));
    expect(result.headers['x-sluice-backend']).toBe('good');
    expect(tookMs).toBeGreaterThanOrEqual(295);
    expect(tookMs).toBeLessThan(900);
    expect(await stage.gateway.backend('default/chat/slow')).toMatchObject({ reason: 'Timeout' });
    expect(stage.upstreams.slow.requests[0]?.closedAtMs).toBeDefined();
  });

  it('does not end an answer whose body takes longer', async () => {
    const body = JSON.stringify({ choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }] });
    const slowly: Script = async (exchange) => {
      await exchange.send(encodeHead(200, { 'content-type': 'application/json', 'content-length': `${body.length}` }));
      for (const part of [body.slice(0, 10), body.slice(10, 20), body.slice(20)]) {
        await exchange.wait(150);
        await exchange.send(part);
      }
    };
    await using stage = await openStage(
      { slow: slowly },
      { rule: { timeouts: { responseSeconds: 0.2, idleSeconds: 2 } } },
    );
    expect((await ask(stage.chatURL, { body: whole })).text).toBe(body);
  });
});

describe('firstContentSeconds', () => {
  it('is the time for the first content of a stream, whatever comes before', async () => {
    const talkative: Script = async (exchange) => {
      await exchange.send(Buffer.concat([streamHead(), encodeChunk(roleFrame(exchange.request))]));
      for (let time = 0; time < 40; time += 1) {
        await exchange.wait(50);
        await exchange.send(encodeChunk(': still thinking\n\n'));
      }
    };
    await using stage = await openStage(
      { slow: talkative, good: chat('good') },
      { rule: { timeouts: { firstContentSeconds: 0.3, responseSeconds: 0.1, idleSeconds: 0.1 } } },
    );
    const { result, tookMs } = await timed(ask(stage.chatURL, { body: streamed }));
    expect(result.headers['x-sluice-backend']).toBe('good');
    expect(tookMs).toBeGreaterThanOrEqual(295);
    expect(tookMs).toBeLessThan(900);
    // It answers, but this model of it has nothing to say.
    const state = await stage.gateway.backend('default/chat/slow');
    expect(state.models).toMatchObject([{ model: 'chat', state: 'disabled', reason: 'Timeout' }]);
  });

  it('does not end a stream that has begun', async () => {
    await using stage = await openStage(
      { a: paced(100, 250, 250) },
      { rule: { timeouts: { firstContentSeconds: 0.2, idleSeconds: 1 } } },
    );
    const answered = await ask(stage.chatURL, { body: streamed });
    expect(answered.text).toContain('[DONE]');
  });
});

describe('idleSeconds', () => {
  it('ends a stream that says nothing more, with an error inside it', async () => {
    await using stage = await openStage(
      { a: (exchange) => stopAfter(900, 'stall', chat('a', { words: 50 }))(exchange) },
      { rule: { timeouts: { idleSeconds: 0.3 } } },
    );
    const { result, tookMs } = await timed(ask(stage.chatURL, { body: streamed }));
    expect(result.status).toBe(200);
    expect(tookMs).toBeGreaterThanOrEqual(295);
    expect(result.text).toMatch(/data: \{"error":\{[^\n]*"code":"stream_timeout"\}\}\n\n$/);
    expect(result.text).not.toContain('[DONE]');
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ reason: 'Stalled' });
    expect(stage.upstreams.a.requests[0]?.closedAtMs).toBeDefined();
  });

  it('is not put off by keep-alives of the upstream', async () => {
    await using stage = await openStage(
      {
        a: async (exchange) => {
          await exchange.send(Buffer.concat([streamHead(), encodeChunk(contentFrame(exchange.request, 'x'))]));
          for (let time = 0; time < 40; time += 1) {
            await exchange.wait(50);
            await exchange.send(encodeChunk(': keep-alive\n\n'));
          }
        },
      },
      { rule: { timeouts: { idleSeconds: 0.3 } } },
    );
    const { result, tookMs } = await timed(ask(stage.chatURL, { body: streamed }));
    expect(result.text).toContain('"code":"stream_timeout"');
    expect(tookMs).toBeLessThan(1000);
  });

  it('lets a slow stream live that goes on saying something', async () => {
    await using stage = await openStage(
      { a: paced(...Array.from({ length: 8 }, () => 150)) },
      { rule: { timeouts: { idleSeconds: 0.3 } } },
    );
    expect((await ask(stage.chatURL, { body: streamed })).text).toContain('[DONE]');
  });

  it('is not held against an upstream whose client reads slowly', async () => {
    await using stage = await openStage(
      { a: chat('a', { words: 60_000 }) },
      { rule: { timeouts: { idleSeconds: 0.3 } } },
    );
    const response = await fetch(stage.chatURL, { method: 'POST', body: JSON.stringify(streamed) });
    await delay(1000);
    expect((await response.text()).slice(-300)).toMatch(/\[DONE\]\n\n$/);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled' });
  });

  it('lets a stream end whose upstream has finished but does not close', async () => {
    await using stage = await openStage(
      {
        a: async (exchange) => {
          await exchange.send(streamHead());
          const frames = chatFrames('a', exchange.request, {}).slice(0, -1);
          await exchange.send(encodeChunk(frames.join('')));
          await exchange.closed;
        },
      },
      { rule: { timeouts: { idleSeconds: 0.3 } } },
    );
    const answered = await ask(stage.chatURL, { body: streamed });
    expect(answered.text).not.toContain('error');
    expect(answered.broken).toBe(false);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled' });
  });
});

describe('connectSeconds', () => {
  it('is the time for a connection', async () => {
    await using stage = await openStage(
      { far: chat('far'), good: chat('good') },
      {
        rule: { timeouts: { connectSeconds: 0.3 } },
        draft: (usual) => ({
          ...usual,
          // TEST-NET-1: packets to it go nowhere, or the machine says at once that there is no way.
          providers: usual.providers.map((it) =>
            it.id === 'default/far' ? { ...it, baseURL: 'http://192.0.2.1:9/v1' } : it,
          ),
        }),
      },
    );
    const { result, tookMs } = await timed(ask(stage.chatURL, { body: whole }));
    expect(result.headers['x-sluice-backend']).toBe('good');
    expect(tookMs).toBeLessThan(2000);
    expect(await stage.gateway.backend('default/chat/far')).toMatchObject({ reason: 'Connect' });
  });
});

describe('totalSeconds', () => {
  it('is the time for all attempts together, and held against nobody', async () => {
    await using stage = await openStage(
      { a: stopAtOnce('stall'), b: stopAtOnce('stall'), c: chat('c') },
      { rule: { timeouts: { responseSeconds: 0.3, totalSeconds: 0.45 } } },
    );
    const { result, tookMs } = await timed(ask(stage.chatURL, { body: whole }));
    expect([result.status, errorOf(result).code]).toEqual([504, 'upstream_timeout']);
    expect(tookMs).toBeGreaterThanOrEqual(440);
    expect(tookMs).toBeLessThan(1000);
    expect(stage.upstreams.c.requests).toHaveLength(0);
    expect((await stage.gateway.state()).backends.map(({ state }) => state)).toEqual([
      'disabled',
      'enabled',
      'enabled',
    ]);
  });

  it('ends a stream that goes on too long, with an error inside it', async () => {
    await using stage = await openStage(
      { a: paced(...Array.from({ length: 40 }, () => 50)) },
      { rule: { timeouts: { totalSeconds: 0.5 } } },
    );
    const { result, tookMs } = await timed(ask(stage.chatURL, { body: streamed }));
    expect(result.text).toMatch(/"code":"stream_timeout"\}\}\n\n$/);
    expect(tookMs).toBeLessThan(1000);
    expect(await stage.gateway.backend('default/chat/a')).toMatchObject({ state: 'enabled' });
  });

  it('leaves an upstream no request that has no time left', async () => {
    const limited = answer({ error: { message: 'busy' } }, { status: 503 });
    await using stage = await openStage(
      { a: limited, b: chat('b') },
      {
        failover: { retry: { attempts: 3, baseMillis: 400, maxMillis: 1000, jitterPercent: 0 } },
        rule: { timeouts: { totalSeconds: 0.3 } },
      },
    );
    const { tookMs } = await timed(ask(stage.chatURL, { body: whole }));
    expect(stage.upstreams.a.requests).toHaveLength(1);
    expect(tookMs).toBeLessThan(400);
  });
});

describe('connections to an upstream whose handshake never ends', () => {
  it('do not wait for each other', async () => {
    await using stage = await openStage(
      { mute: stopAtOnce('stall') },
      {
        rule: { timeouts: { connectSeconds: 30 } },
        draft: (usual) => ({
          ...usual,
          providers: usual.providers.map((it) => ({ ...it, baseURL: it.baseURL.replace('http:', 'https:') })),
        }),
      },
    );
    const leave = new AbortController();
    const requests = Array.from({ length: 4 }, (_, number) =>
      ask(stage.chatURL, { body: chatRequest(`m${number}`), signal: leave.signal }).catch(() => 'left'),
    );
    await eventually(() => stage.upstreams.mute.connections === 4, 15_000);
    leave.abort();
    expect(await Promise.all(requests)).toEqual(['left', 'left', 'left', 'left']);
  });
});
