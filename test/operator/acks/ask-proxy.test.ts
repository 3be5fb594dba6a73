// One question to one proxy, on real sockets: what is understood of the answer, and what is no answer.

import { Agent } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentOptions, askProxy } from '../../../operator/acks/ask-proxy.ts';
import { type AdminPort, openAdminPort, says } from './admin-port.ts';

describe('asking a proxy', () => {
  let port: AdminPort;
  let agent: Agent;

  beforeEach(async () => {
    port = await openAdminPort();
    agent = new Agent(agentOptions);
  });
  afterEach(async () => {
    await agent.destroy();
    await port[Symbol.asyncDispose]();
  });

  function ask(token?: string, address = port.address) {
    return askProxy(address, { agent, token, signal: new AbortController().signal });
  }

  it('gives the revision that it serves', async () => {
    port.serve(7);
    expect(await ask()).toEqual({ proxy: 'one', revision: 7, refusal: undefined, disabled: [] });
  });

  it('takes one that serves nothing yet for what it is', async () => {
    port.answers.set('/config', says({}));
    port.answers.set('/state/disabled', says({ backends: [], keys: [] }));
    expect(await ask()).toMatchObject({ revision: undefined, refusal: undefined });
    port.serve(null);
    expect(await ask()).toMatchObject({ revision: undefined });
  });

  it('gives what it refused last, also where not even the revision could be read', async () => {
    port.serve(7, { lastRefusal: { revision: 8, reasons: ['no'], at: '2026-01-01T00:00:00Z', digest: 'x' } });
    expect(await ask()).toMatchObject({ revision: 7, refusal: { revision: 8, reasons: ['no'] } });
    port.serve(7, { lastRefusal: { reasons: ['index: not JSON'] } });
    expect(await ask()).toMatchObject({ refusal: { revision: undefined, reasons: ['index: not JSON'] } });
  });

  it('gives what is out as a whole because of what happened, and nothing else', async () => {
    const until = '2026-01-01T00:00:00Z';
    port.answers.set('/config', says({ revision: 7 }));
    port.answers.set(
      '/state/disabled',
      says({
        backends: [
          { id: 'a/r/one', state: 'disabled', hard: false, reason: 'Timeout', until, route: 'a/r', inFlight: 3 },
          { id: 'a/r/two', state: 'disabled', hard: true, reason: 'Manual', until: null },
          { id: 'a/r/three', state: 'trial' },
          { id: 'a/r/four', state: 'enabled', models: [{ model: 'm', state: 'disabled' }] },
          { id: 'a/r/five', state: 'paused', reason: 'of a later release' },
        ],
        keys: [
          { id: 'a/k', state: 'disabled', hard: true, reason: 'Authentication', until },
          { id: 'a/off', state: 'disabled', hard: true, reason: 'Configured' },
        ],
        store: 'whatever',
      }),
    );
    expect((await ask()).disabled).toEqual([
      { kind: 'backend', id: 'a/r/one', hard: false, reason: 'Timeout', until },
      { kind: 'backend', id: 'a/r/two', hard: true, reason: 'Manual', until: undefined },
      { kind: 'key', id: 'a/k', hard: true, reason: 'Authentication', until },
    ]);
  });

  it('shows the token that it was given, and none otherwise', async () => {
    const seen: (string | undefined)[] = [];
    port.serve(7);
    port.answers.set('/config', (request, response) => {
      seen.push(request.headers.authorization);
      says({ revision: 7 })(request, response);
    });
    await ask('a-token');
    await ask();
    expect(seen).toEqual(['Bearer a-token', undefined]);
  });

  it('works with addresses of IPv6', async () => {
    await using six = await openAdminPort('::1');
    six.serve(7);
    expect(await ask(undefined, six.address)).toMatchObject({ revision: 7 });
  });

  it.each([
    ['401', (_request, response) => void response.writeHead(401).end('{"error":"no token"}')],
    ['302', (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end()],
    ['no JSON', (_request, response) => void response.writeHead(200).end('<html>')],
    ['JSON of another kind', says([])],
    ['a revision that is none', says({ revision: 'latest' })],
    ['a connection that breaks', (request) => void request.socket.destroy()],
    [
      'half an answer',
      (request, response) => void (response.write('{"rev'), setImmediate(() => request.socket.destroy())),
    ],
    ['more than anybody needs', (_request, response) => void response.writeHead(200).end(Buffer.alloc(9 << 20, 32))],
  ] as readonly (readonly [string, Parameters<AdminPort['answers']['set']>[1]])[])(
    'rejects where the answer is %s',
    async (_name, answer) => {
      port.serve(7);
      port.answers.set('/config', answer);
      await expect(ask()).rejects.toThrow();
      // And is not in the way of the next question.
      port.serve(8);
      expect(await ask()).toMatchObject({ revision: 8 });
    },
  );

  it('rejects where nobody answers within two seconds, or nobody is there', async () => {
    port.serve(7);
    port.answers.set('/state/disabled', () => undefined);
    const startedMs = performance.now();
    await expect(ask()).rejects.toThrow();
    expect(performance.now() - startedMs).toBeLessThan(3_500);
    const gone = await openAdminPort();
    await gone[Symbol.asyncDispose]();
    await expect(ask(undefined, gone.address)).rejects.toThrow();
  });
});
