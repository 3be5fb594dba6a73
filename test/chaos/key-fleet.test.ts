// A pool of twenty keys that three gateways share: what one learns of a key, the others know, whatever the form in which the
// vendor says when a limit ends.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from '../deploy/folder.ts';
import { chatRequest } from '../support/chat.ts';
import { ask } from '../support/client.ts';
import { byKey, keyOf, keyRefusals } from '../support/key-upstream.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { requires } from '../support/requires.ts';
import { answer, type AnswerOptions } from '../support/scripts.ts';
import { type Script, type ScriptedUpstream, startUpstream, type UpstreamRequest } from '../support/upstream.ts';
import { crowd, printTable, seededRandom, Tally, watchStalls } from './crowd.ts';
import { type Member, startMember } from './redis-processes.ts';
import { sized, timeoutMs } from './scale.ts';
import { resource, toManifest } from '../support/manifest.ts';

const program = await requires('redis-server');
const requests = sized({ usual: 1500, full: 20_000 });
const atOnce = 12;
const warmUpRequests = 300;
/** First they come one by one, as on a quiet day: then one gateway's news is there before another one tries the same key. */
const quietRequests = 80;
const quietGapMs = 10;
const restMs = 5000;
/** A reset counts from when the gateway has read it, and some vendors say it in whole seconds. */
const toleranceMs = 30;
/** Between processes: pub/sub, and its backstop; and whatever a busy machine keeps a gateway waiting. */
const newsMs = 3000;
const random = seededRandom(43);
const names = (kind: string): string[] => Array.from({ length: 5 }, (_, number) => `${kind}${number}`);

function limitedBy(options: AnswerOptions, message = 'Rate limit reached.', details: readonly object[] = []): Script {
  return answer({ error: { message, code: 'rate_limit_exceeded', details } }, { status: 429, ...options });
}

const retryInfo = 'type.googleapis.com/google.rpc.RetryInfo';

/** The same five seconds in each of the ways in which vendors say it. */
const limits: readonly Script[] = [
  limitedBy({ headers: { 'retry-after': '5' } }),
  limitedBy({ headers: { 'retry-after-ms': '5000' } }),
  limitedBy({ headers: { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '5s' } }),
  limitedBy({}, 'Rate limit reached. Please try again in 5.0s.'),
  limitedBy({}, 'Resource has been exhausted.', [{ '@type': retryInfo, retryDelay: '5s' }]),
];

program.describe('a pool of keys of three gateways', () => {
  let redis: TestRedis;
  let upstream: ScriptedUpstream;
  let folder: ReturnType<typeof makeFolder>;
  const members: Member[] = [];
  const limitedAt: { readonly key: string; readonly request: UpstreamRequest }[] = [];

  beforeAll(async () => {
    redis = await startRedis(program.path);
    const limiting = limits.map((limit, number): [string, Script] => [
      `limited${number}`,
      nowAndThen(limit, `limited${number}`),
    ]);
    upstream = await startUpstream(
      byKey({
        ...Object.fromEntries(names('wrong').map((name) => [name, keyRefusals['401']])),
        ...Object.fromEntries(
          names('poor').map((name, number) => [name, keyRefusals[number % 2 === 0 ? '402' : 'quota']]),
        ),
        ...Object.fromEntries(limiting),
      }),
    );
    folder = makeFolder({ 'pool.yaml': poolManifest(upstream.baseURL) });
    const usual = { file: folder.path, redisURL: redis.url };
    members.push(...(await Promise.all(['g1', 'g2', 'g3'].map((name) => startMember({ ...usual, name })))));
  });
  afterAll(async () => {
    await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
    await upstream.refuse();
    await redis.stop();
    folder[Symbol.dispose]();
  });

  /** A key meets its limit now and then, and from then on it gets nothing until the reset that it was told. */
  function nowAndThen(limit: Script, key: string): Script {
    const working = byKey({});
    let untilMs = 0;
    return async (exchange) => {
      const isLimited = performance.now() < untilMs;
      if (!isLimited && random() > 0.1) return working(exchange);
      if (!isLimited) untilMs = performance.now() + restMs;
      await limit(exchange);
      if (!isLimited) limitedAt.push({ key, request: exchange.request });
    };
  }

  test(`of ${requests} requests none fails for a key`, { timeout: timeoutMs(240) }, async () => {
    const statuses = new Tally();
    const stallOf = watchStalls();
    const sendTo = async (path: string, number: number): Promise<void> => {
      const { url } = members[number % members.length] as Member;
      const body = chatRequest(`m${number}`, { stream: number % 2 === 0 });
      const { status } = await ask(`${url}/${path}/chat/completions`, { body });
      statuses.add(String(status));
    };
    const send = (number: number): Promise<void> => sendTo('pool', number);
    // Gateways that have just started take ten times as long for everything.
    await crowd(warmUpRequests, atOnce, (number) => sendTo('plain', number));
    upstream.forget();
    const quiet: Promise<void>[] = [];
    for (let number = 0; number < quietRequests; number += 1) {
      quiet.push(send(number));
      await delay(quietGapMs);
    }
    await Promise.all(quiet);
    const quietUses = usesOf(upstream.requests);
    await crowd(requests - quietRequests, atOnce, send);
    const stallMs = stallOf();
    const uses = usesOf(upstream.requests);
    const early = limitedAt.filter(({ key, request }) => {
      const knownAtMs = (request.answeredAtMs ?? Infinity) + stallMs + newsMs;
      const resetAtMs = (request.answeredAtMs ?? 0) + restMs - toleranceMs;
      return upstream.requests.some(
        (it) => keyOf(it) === key && it.receivedAtMs > knownAtMs && it.receivedAtMs < resetAtMs,
      );
    });
    const good = names('good').map((name) => uses.of(name));
    const spread = (Math.max(...good) - Math.min(...good)) / Math.max(...good);
    const bad = [...names('wrong'), ...names('poor')];
    printTable('A pool of keys of three gateways', {
      requests: `${requests}, at last ${atOnce} at a time; ${String(statuses)}`,
      'uses of keys': String(uses),
      'most uses of a bad key by the whole fleet': mostOf(uses, bad),
      [`of which in the first ${quietRequests} requests, ${1000 / quietGapMs} a second`]: mostOf(quietUses, bad),
      'limits met, keys used before their reset': `${limitedAt.length}, ${early.length} ${early.map(({ key }) => key).join(' ')}`,
      'spread of good keys': `${(spread * 100).toFixed(1)} %`,
    });
    expect(statuses.of('200')).toBe(warmUpRequests + requests);
    expect(lateUses(upstream.requests, bad, stallMs)).toEqual([]);
    expect(limitedAt.length).toBeGreaterThan(4);
    expect(early).toEqual([]);
    expect(spread).toBeLessThan(0.1);
    for (const member of members) expect((await member.backend('default/pool/only')).state).toBe('enabled');
  });
});

function usesOf(sent: readonly UpstreamRequest[]): Tally {
  const uses = new Tally();
  for (const request of sent) uses.add(keyOf(request));
  return uses;
}

function mostOf(uses: Tally, names: readonly string[]): number {
  return Math.max(...names.map((name) => uses.of(name)));
}

/** Uses of keys that all three must have known to be bad. Those that were under way came before anybody knew. */
function lateUses(sent: readonly UpstreamRequest[], bad: readonly string[], stallMs: number): readonly string[] {
  return bad.flatMap((name) => {
    const own = sent.filter((request) => keyOf(request) === name);
    const knownAtMs = Math.min(...own.map(({ answeredAtMs }) => answeredAtMs ?? Infinity)) + stallMs + newsMs;
    return own.filter(({ receivedAtMs }) => receivedAtMs > knownAtMs).map(() => name);
  });
}

function poolManifest(url: string): string {
  const keys = ['wrong', 'poor', 'limited', 'good'].flatMap(names);
  const upstreamKey = (name: string): object =>
    resource('LLMKey', name, {
      type: 'Upstream',
      secretRef: { name: 'keys', key: name },
      upstream: { providerRef: { name: 'pool' } },
    });
  const provider = (name: string, credentials: object): object =>
    resource('LLMProvider', name, {
      type: 'OpenAICompatible',
      endpoint: { url, insecureHTTP: 'Allow' },
      credentials,
    });
  const route = (name: string): object =>
    resource('LLMRoute', name, {
      path: `/${name}`,
      access: { mode: 'Anonymous' },
      rules: [{ name: 'default', backends: [{ name: 'only', providerRef: { name } }] }],
    });
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', labels: { 'sluice.dev/credential': 'true' } },
      stringData: Object.fromEntries(keys.map((name) => [name, name])),
    },
    ...keys.map(upstreamKey),
    provider('pool', { type: 'KeyPool', keyPool: { strategy: 'RoundRobin' } }),
    provider('plain', { type: 'None' }),
    route('pool'),
    route('plain'),
  ];
  return toManifest(objects);
}
