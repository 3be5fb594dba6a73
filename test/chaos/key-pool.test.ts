// A pool of twenty keys of which five are wrong, five have no money, and five meet a limit now and then: no client notices.

import { expect, test } from 'vitest';
import { chatRequest } from '../support/chat.ts';
import { ask } from '../support/client.ts';
import { provider, upstreamKey } from '../support/config.ts';
import { byKey, keyOf, keyRefusals } from '../support/key-upstream.ts';
import { answer } from '../support/scripts.ts';
import { openStage } from '../support/stage.ts';
import { type Script, type UpstreamRequest } from '../support/upstream.ts';
import { crowd, printTable, seededRandom, Tally, watchStalls } from './crowd.ts';
import { sized, timeoutMs } from './scale.ts';

const requests = sized({ usual: 2000, full: 20_000 });
const atOnce = 20;
const restMs = 1000;
/** A reset counts from when the gateway has read it. */
const toleranceMs = 20;
const random = seededRandom(41);
const names = (kind: string): string[] => Array.from({ length: 5 }, (_, number) => `${kind}${number}`);

/** The same second in each of the ways in which vendors say it. */
const resets: readonly Readonly<Record<string, string>>[] = [
  { 'retry-after': '1' },
  { 'retry-after-ms': '1000' },
  { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1s' },
  { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1000ms' },
  { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1.0' },
];

test(`of ${requests} requests none fails for a key`, { timeout: timeoutMs(180) }, async () => {
  const limitedAt: { readonly key: string; readonly request: UpstreamRequest }[] = [];
  const limitNowAndThen: readonly Script[] = resets.map((headers, number) => {
    const working = byKey({});
    const limiting = answer({ error: { message: 'limit', code: 'rate_limit_exceeded' } }, { status: 429, headers });
    return async (exchange) => {
      if (random() > 0.05) return working(exchange);
      await limiting(exchange);
      limitedAt.push({ key: `limited${number}`, request: exchange.request });
    };
  });
  const scripts = {
    ...Object.fromEntries(names('wrong').map((name) => [name, keyRefusals['401']])),
    ...Object.fromEntries(names('poor').map((name, number) => [name, keyRefusals[number % 2 === 0 ? '402' : 'quota']])),
    ...Object.fromEntries(limitNowAndThen.map((script, number) => [`limited${number}`, script])),
  };
  const all = ['wrong', 'poor', 'limited', 'good'].flatMap(names);
  await using stage = await openStage(
    { pool: byKey(scripts) },
    {
      draft: (usual) => ({
        ...usual,
        providers: usual.providers.map((it) => provider('pool', it.baseURL, { credentials: { type: 'KeyPool' } })),
        upstreamKeys: all.map((name) => upstreamKey(name, 'pool', name)),
      }),
    },
  );
  const statuses = new Tally();
  const stallOf = watchStalls();
  await crowd(requests, atOnce, async (number) => {
    const stream = number % 2 === 0;
    const { status } = await ask(stage.chatURL, { body: chatRequest(`m${number}`, { stream }) });
    statuses.add(String(status));
  });

  const inFlightMs = stallOf();
  const { requests: sent } = stage.upstreams.pool;
  const uses = new Tally();
  for (const request of sent) uses.add(keyOf(request));
  const early = limitedAt.filter(({ key, request }) => {
    const knownAtMs = (request.answeredAtMs ?? Infinity) + inFlightMs;
    const resetAtMs = (request.answeredAtMs ?? 0) + restMs - toleranceMs;
    return sent.some((it) => keyOf(it) === key && it.receivedAtMs > knownAtMs && it.receivedAtMs < resetAtMs);
  });
  const good = names('good').map((name) => uses.of(name));
  const spread = (Math.max(...good) - Math.min(...good)) / Math.max(...good);
  printTable('A pool of keys', {
    requests: `${requests}, ${atOnce} at a time; ${String(statuses)}`,
    'uses of keys': String(uses),
    'most uses of a wrong key, of a poor one': [names('wrong'), names('poor')]
      .map((kind) => Math.max(...kind.map((name) => uses.of(name))))
      .join(', '),
    'limits met, keys used before their reset': `${limitedAt.length}, ${early.length} (later than ${inFlightMs.toFixed(0)} ms after the limit)`,
    'spread of good keys': `${(spread * 100).toFixed(1)} %`,
  });
  expect(statuses.of('200')).toBe(requests);
  // One by one: those that were under way when the first was refused came before anybody knew.
  for (const name of [...names('wrong'), ...names('poor')]) expect(uses.of(name), name).toBeLessThanOrEqual(2);
  expect(early).toEqual([]);
  expect(spread).toBeLessThan(0.1);
  expect(await stage.gateway.backend('default/chat/pool')).toMatchObject({ state: 'enabled', models: [] });
});
