// Whatever goes wrong, no credential and no prompt is found where it does not belong: in logs, metrics, state, or errors.

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { chat, chatRequest, markerOf } from '../../support/chat.ts';
import { ask, type PlainAnswer } from '../../support/client.ts';
import { backend, clientKey, type ConfigDraft, provider, route, rule, upstreamKey } from '../../support/config.ts';
import { faults, slowFaults } from '../../support/faults.ts';
import { answer, stopAfter, stream } from '../../support/scripts.ts';
import { type Script, startUpstream } from '../../support/upstream.ts';
import { crowd } from '../../chaos/crowd.ts';
import { makeMount, publish } from '../proxy/mount.ts';
import { startProxyProcess } from '../proxy/proxy-process.ts';

const canary = (kind: string): string => `CANARY-${kind}-${randomUUID()}`;

/** An upstream that repeats in its errors everything that it was sent: the worst that a vendor's debug mode does. */
function echoing(status: number): Script {
  return (exchange) => {
    const { headers, target } = exchange.request;
    const message = `bad key ${headers['authorization']} for ${markerOf(exchange.request)} at ${target}`;
    const error = { message, type: message, param: message, code: message };
    return answer({ error }, { status, headers: { 'www-authenticate': message, 'x-debug': message } })(exchange);
  };
}

const echoingFrame: Script = (exchange) => {
  const message = `${exchange.request.headers['authorization']} ${markerOf(exchange.request)}`;
  return stream([`event: error\ndata: ${JSON.stringify({ error: { message, code: message, type: message } })}\n\n`])(
    exchange,
  );
};

const scripts: readonly Script[] = [
  ...[400, 401, 402, 403, 404, 413, 418, 422, 429, 500, 503, 302].map(echoing),
  ...Object.values(faults).map(({ script }) => script),
  ...Object.values(slowFaults).map(({ script }) => script),
  echoingFrame,
  chat('fine'),
  (exchange) => stopAfter(700, 'reset', chat('cut'))(exchange),
];

/** A route with a pool of keys, and one for the client's own, for each script: no failure hides what the next would show. */
function draftOf(baseURL: string, keys: Keys): ConfigDraft {
  const timeouts = { firstContentSeconds: 0.2, responseSeconds: 0.2, idleSeconds: 0.2 };
  const numbers = scripts.map((_, number) => number);
  return {
    providers: numbers.flatMap((number) => [
      provider(`pool${number}`, `${baseURL}/${number}`, {
        credentials: { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } },
      }),
      provider(`own${number}`, `${baseURL}/${number}`, { credentials: { type: 'Passthrough' } }),
    ]),
    upstreamKeys: numbers.flatMap((number) => [
      upstreamKey(`first${number}`, `pool${number}`, keys.first),
      upstreamKey(`second${number}`, `pool${number}`, keys.second),
    ]),
    clientKeys: [clientKey('client', keys.client)],
    routes: numbers.flatMap((number) => [
      route(`pool${number}`, [rule([backend(`pool${number}`)], { timeouts })], {
        access: { mode: 'AllKeys', namespaces: ['default'] },
      }),
      route(`own${number}`, [rule([backend(`own${number}`)], { timeouts })]),
    ]),
  };
}

interface Keys {
  readonly first: string;
  readonly second: string;
  readonly client: string;
  readonly unknown: string;
}

it('leaves no trace of keys and prompts, at the most talkative level of the log', { timeout: 120_000 }, async () => {
  const [first, second, client, unknown, prompt] = ['up', 'up', 'client', 'unknown', 'prompt'].map(canary);
  const keys = { first, second, client, unknown } as Keys;
  await using upstream = await startUpstream((exchange) => {
    const [, , number] = exchange.request.target.split('/');
    return scripts[Number(number)]?.(exchange);
  });
  using mount = makeMount();
  mount.hold(publish(draftOf(upstream.baseURL, keys)).files);
  const args = ['--allow-endpoint-cidr', '127.0.0.0/8', '--log-level', 'trace', '--access-log'];
  await using proxy = await startProxyProcess(mount, { args });

  const answers: PlainAnswer[] = [];
  const send = async (path: string, key: string, streamed: boolean): Promise<void> => {
    const body = chatRequest(prompt ?? '', { stream: streamed });
    const headers = { authorization: `Bearer ${key}`, 'x-api-key': key };
    const answered = await ask(`${proxy.url}/${path}?key=${keys.client}`, { body, headers });
    answers.push(answered);
  };
  // Each script has routes of its own; many of them only keep a client waiting.
  await crowd(scripts.length, 8, async (number) => {
    for (const streamed of [false, true]) {
      await send(`pool${number}`, keys.client, streamed);
      await send(`pool${number}`, keys.unknown, streamed);
      await send(`own${number}`, keys.client, streamed);
    }
  });
  const ports = await Promise.all(['/metrics', '/state', '/config'].map((path) => ask(`${proxy.adminURL}${path}`)));
  await delay(200);
  const log = proxy.program.out() + proxy.program.err();
  expect(log.split('\n').length).toBeGreaterThan(answers.length);
  const used = new Set(upstream.requests.map(({ headers }) => headers['authorization']));
  expect(used).toEqual(new Set([first, second, client].map((key) => `Bearer ${key}`)));

  const refusals = answers.filter(({ status }) => status !== 200).map((answered) => JSON.stringify(answered));
  expect(refusals.length).toBeGreaterThan(scripts.length * 3);
  for (const secret of Object.values(keys)) {
    expect(
      partsWith(
        answers.map((it) => JSON.stringify(it)),
        secret,
      ),
      'what clients see',
    ).toEqual([]);
    expect(partsWith(log.split('\n'), secret), 'the log').toEqual([]);
    expect(
      partsWith(
        ports.map(({ text }) => text),
        secret,
      ),
      'the admin port',
    ).toEqual([]);
  }
  expect(partsWith(log.split('\n'), prompt ?? ''), 'the log').toEqual([]);
  expect(
    partsWith(
      ports.map(({ text }) => text),
      prompt ?? '',
    ),
    'the admin port',
  ).toEqual([]);
  expect(partsWith(refusals, `127.0.0.1:${upstream.port}`), 'the place of the upstream').toEqual([]);
});

/** Those parts that hold a secret, shortened to its surroundings. */
function partsWith(parts: readonly string[], secret: string): string[] {
  return parts.flatMap((part) => {
    const at = part.indexOf(secret);
    return at === -1 ? [] : [part.slice(Math.max(0, at - 200), at + secret.length)];
  });
}
