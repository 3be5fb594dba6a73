// A proxy at its own limit refuses new requests at once and goes on with what it has begun; a backend that refuses is
// sent no more than it takes.

import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { chat, chatRequest } from '../../support/chat.ts';
import { ask, contentOf, errorOf, type PlainAnswer } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { answer, stopAtOnce } from '../../support/scripts.ts';
import { openStage, type Stage } from '../../support/stage.ts';
import type { Script } from '../../support/upstream.ts';

const one = { requestsMax: 1, loopDelayMeanMsMax: 0, memoryShareMax: 0 };

describe('a proxy with as many requests as it may have', () => {
  /** One request is under way until `leave` is called. */
  async function full(): Promise<{ stage: Stage<'a'>; leave: () => void }> {
    const stage = await openStage({ a: stopAtOnce('stall') }, { gateway: { overload: one } });
    const leaving = new AbortController();
    const first = ask(stage.chatURL, { body: chatRequest('first'), signal: leaving.signal });
    first.catch(() => undefined);
    await eventually(() => stage.upstreams.a.requests.length === 1);
    return { stage, leave: () => leaving.abort() };
  }

  it.each([
    ['/chat/chat/completions', 'code'],
    ['/v1/chat/completions', 'code'],
    ['/v1/responses', 'code'],
    ['/v1/embeddings', 'code'],
    ['/v1/messages', 'type'],
    ['/api/chat', undefined],
  ])('refuses %s in the form of its protocol', async (path, member) => {
    const { stage } = await full();
    await using _ = stage;
    const refused = await ask(`${stage.gateway.url}${path}`, { body: chatRequest('second') });
    expect(refused.status).toBe(503);
    expect(refused.headers).toMatchObject({
      'x-sluice-error': 'overloaded',
      'retry-after': '1',
      'x-should-retry': 'true',
    });
    expect(refused.headers['x-request-id']).toMatch(/-\d+$/);
    const { error } = JSON.parse(refused.text) as { error: Record<string, string> | string };
    const said = typeof error === 'string' ? error : error['message'];
    expect(said).toBe('The gateway is at its limit. Try again later.');
    if (member === 'type') expect(error).toMatchObject({ type: 'overloaded_error' });
    if (member === 'code') expect(error).toMatchObject({ code: 'overloaded' });
    expect(stage.upstreams.a.requests).toHaveLength(1);
  });

  it('serves again as soon as one has ended, on the connection on which it refused', async () => {
    const { stage, leave } = await full();
    await using _ = stage;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify({ ...chatRequest('big'), padding: 'x'.repeat(300_000) });
        const outgoing = httpRequest(stage.chatURL, { method: 'POST', agent }, (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode));
        });
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    expect(await send()).toBe(503);
    leave();
    await eventually(async () => (await stage.gateway.state()).inFlight === 0);
    stage.upstreams.a.script = chat('a');
    expect(await send()).toBe(200);
    agent.destroy();
  });

  it('does not ask for a body that it will not read', async () => {
    const { stage } = await full();
    await using _ = stage;
    const { port } = new URL(stage.gateway.url);
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
    socket.write(head);
    await eventually(() => text.includes('\r\n\r\n'));
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(text).toMatch(/^connection: close\r$/im);
    socket.destroy();
  });

  it('tells how many it refused, and is as alive and ready as before', async () => {
    const { stage } = await full();
    await using _ = stage;
    await ask(stage.chatURL, { body: chatRequest('second') });
    await ask(stage.chatURL, { body: chatRequest('third') });
    expect(await stage.gateway.metrics()).toContain('sluice_shed_requests_total{reason="requests"} 2\n');
    const { overload, inFlight } = (await stage.gateway.state()) as unknown as Record<string, unknown>;
    expect(overload).toEqual({ shedShare: 0, shed: { requests: 2, 'event-loop': 0, heap: 0, memory: 0 } });
    expect(inFlight).toBe(1);
    for (const path of ['/livez', '/readyz']) {
      expect((await fetch(`${stage.gateway.adminURL}${path}`)).status).toBe(200);
    }
  });
});

/** Works on so many at a time, until it is told to answer them, and refuses the others. */
class Busy {
  readonly script: Script;
  readonly #done: Promise<void>;
  finish: () => void = () => undefined;

  constructor(atOnce: number) {
    this.#done = new Promise((resolve) => (this.finish = resolve));
    let working = 0;
    this.script = async (exchange) => {
      if (working >= atOnce) return refuse(exchange);
      working += 1;
      await Promise.race([this.#done, exchange.closed]);
      working -= 1;
      return chat('a')(exchange);
    };
  }
}

const refuse = answer({ error: { message: 'Overloaded', type: 'overloaded_error' } }, { status: 503 });
const neverDisabled = { disable: { failures: 1, windowSeconds: 60, seconds: 0 } };

describe('a backend that refuses what is too much', () => {
  /** Asks sixty times at once; resolves when so many have been answered, with all answers so far and to come. */
  async function sixty(stage: Stage<string>, answered: number, path = '/chat'): Promise<PlainAnswer[]> {
    const answers: PlainAnswer[] = [];
    const url = `${stage.gateway.url}${path}/chat/completions`;
    for (let number = 0; number < 60; number += 1) {
      const asked = ask(url, { body: chatRequest(`many ${number}`) });
      void asked.then((it) => answers.push(it)).catch(() => undefined);
    }
    await eventually(() => answers.length === answered);
    return answers;
  }

  it('is sent what it takes; the others hear at once that it is overloaded', async () => {
    const busy = new Busy(20);
    await using stage = await openStage({ a: busy.script }, { failover: neverDisabled });
    const first = await sixty(stage, 40);
    const sent = stage.upstreams.a.requests.length;
    const second = await sixty(stage, 60);
    // The limit grows, so that it is found out when the backend takes more.
    expect(stage.upstreams.a.requests.length - sent).toBeLessThan(30);
    const unsent = second.filter(({ headers }) => headers['x-sluice-attempts'] === undefined);
    expect(unsent.length).toBeGreaterThan(30);
    for (const it of unsent) {
      expect([it.status, it.headers['retry-after'], it.headers['x-should-retry']]).toEqual([503, '1', 'true']);
      expect(errorOf(it).code).toBe('upstream_overloaded');
    }
    busy.finish();
    await eventually(() => first.length === 60);
    expect(first.filter(({ status }) => status === 200)).toHaveLength(20);
  });

  it('leaves the rest to the next backend', async () => {
    const busy = new Busy(20);
    await using stage = await openStage({ a: busy.script, b: chat('b') }, { failover: neverDisabled });
    await sixty(stage, 40);
    const sent = stage.upstreams.a.requests.length;
    const answers = await sixty(stage, 60);
    expect(answers.map((it) => contentOf(it).slice(0, 2))).toEqual(Array.from({ length: 60 }, () => 'b~'));
    expect(stage.upstreams.a.requests.length - sent).toBeLessThan(30);
    busy.finish();
  });

  it('is shown with its limit', async () => {
    const busy = new Busy(20);
    await using stage = await openStage({ a: busy.script }, { failover: neverDisabled });
    expect(await stage.gateway.metrics()).not.toContain('sluice_backend_concurrency_limit{');
    await sixty(stage, 40);
    const limit = /sluice_backend_concurrency_limit\{route="default\/chat",backend="a"\} (\d+)/;
    expect(Number(limit.exec(await stage.gateway.metrics())?.[1])).toBeGreaterThanOrEqual(20);
    const backend = (await stage.gateway.backend('default/chat/a')) as unknown as { concurrencyLimit: number };
    expect(backend.concurrencyLimit).toBeGreaterThanOrEqual(20);
    busy.finish();
  });

  it('a client that insists on it by its path hears the same', async () => {
    const busy = new Busy(10);
    await using stage = await openStage({ a: busy.script, b: chat('b') }, { failover: neverDisabled });
    await sixty(stage, 50, '/chat/a');
    const refused = await sixty(stage, 60, '/chat/a');
    expect(new Set(refused.map((it) => errorOf(it).code))).toEqual(new Set(['upstream_overloaded']));
    expect(refused.filter(({ headers }) => headers['x-sluice-attempts'] === undefined).length).toBeGreaterThan(30);
    busy.finish();
  });
});
