// After any amount of trouble everything comes back: no backend and no key stays out because a trial of it was lost.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chat, chatRequest } from '../support/chat.ts';
import { ask } from '../support/client.ts';
import { type ConfigDraft, backend, failover, provider, route, rule, upstreamKey } from '../support/config.ts';
import { faults } from '../support/faults.ts';
import { limited } from '../support/key-upstream.ts';
import { answer } from '../support/scripts.ts';
import { openStage } from '../support/stage.ts';
import type { Script } from '../support/upstream.ts';
import { crowd, oneOf, printTable, seededRandom, Tally } from './crowd.ts';
import { sized, timeoutMs } from './scale.ts';

const requests = sized({ usual: 1500, full: 20_000 });
const atOnce = 30;
const routes = 12;
const disableMs = 100;
/** The longest rest that an upstream asks for. */
const restMs = 1000;
const random = seededRandom(23);

/** None that refuses a key, which is out for a quarter of an hour, and limits only of a second. */
const scripts: readonly Script[] = [
  ...Object.entries(faults)
    .filter(([name]) => !/40[1-4]|429|Retry-After/.test(name))
    .map(([, { script }]) => script),
  limited(1),
  answer({ error: { message: 'busy' } }, { status: 503, headers: { 'retry-after': '1' } }),
];

const troubled = (backendName: string): Script => {
  return (exchange) => {
    if (random() < 0.4) return chat(backendName, { gapMs: 2, firstAfterMs: 3, afterMs: 5 })(exchange);
    return oneOf(scripts, random)(exchange);
  };
};

test(`after ${requests} requests in trouble every backend and key is back`, { timeout: timeoutMs(240) }, async () => {
  await using stage = await openStage<string>(
    { pool: troubled('pool'), plain: troubled('plain'), third: troubled('third') },
    { draft: (usual) => draftOf(usual) },
  );
  const outcomes = new Tally();
  await crowd(requests, atOnce, async (number) => {
    const stream = random() < 0.5;
    const leaves = random() < 0.3;
    const controller = new AbortController();
    const timer = leaves ? setTimeout(() => controller.abort(), random() * 25) : undefined;
    const body = chatRequest(`m${number}`, { stream, model: `r${number % routes}` });
    const url = `${stage.gateway.url}/v1/chat/completions`;
    const status = await ask(url, { body, signal: controller.signal }).then(
      (answered) => (answered.broken ? 'left' : String(answered.status)),
      () => 'left',
    );
    outcomes.add(status);
    clearTimeout(timer);
  });
  for (const [name, upstream] of Object.entries(stage.upstreams)) upstream.script = chat(name);
  await delay(Math.max(disableMs, restMs) + 100);

  const answers = new Tally();
  for (let number = 0; number < routes; number += 1) {
    for (const name of ['pool', 'plain', 'third']) {
      // Whoever is due a trial gets it here, and passes.
      for (let time = 0; time < 3; time += 1) {
        const answered = await ask(`${stage.gateway.url}/r${number}`, { body: chatRequest(`after ${name} ${time}`) });
        answers.add(answered.headers['x-sluice-backend'] ?? String(answered.status));
      }
    }
  }
  const { backends, keys, inFlight } = await stage.gateway.state();
  const out = [...backends, ...keys].filter(({ state, models }) => state !== 'enabled' || models.length > 0);
  printTable('Recovery', {
    requests: `${requests}, ${atOnce} at a time, three of ten leave; ${String(outcomes)}`,
    'answers afterwards': String(answers),
    'still out': out.length,
    'requests in flight': inFlight,
  });
  expect(out).toEqual([]);
  expect(inFlight).toBe(0);
  expect(answers.of('pool')).toBeGreaterThanOrEqual(routes * 2);
  expect(answers.of('plain')).toBeGreaterThanOrEqual(routes * 2);
  expect(answers.of('third')).toBeGreaterThanOrEqual(routes * 2);
});

function draftOf({ providers }: ConfigDraft): ConfigDraft {
  const disable = { failures: 1, windowSeconds: 60, seconds: disableMs / 1000 };
  const timeouts = { firstContentSeconds: 0.5, responseSeconds: 0.5, idleSeconds: 0.5 };
  const retry = { attempts: 1, baseMillis: 5, maxMillis: 20, jitterPercent: 50 };
  const settings = failover({ disable, maxAttempts: 4, retry, retryBudgetPercent: 50 });
  return {
    providers: providers.map((it) =>
      it.id === 'default/pool'
        ? provider('pool', it.baseURL, {
            credentials: { type: 'KeyPool', keyPool: { strategy: 'LeastUsed', stickiness: 'None' } },
          })
        : it,
    ),
    upstreamKeys: ['k1', 'k2', 'k3'].map((name) => upstreamKey(name, 'pool', name)),
    routes: Array.from({ length: routes }, (_, number) =>
      route(`r${number}`, [
        rule([backend('pool'), backend('plain'), backend('third')], { failover: settings, timeouts }),
      ]),
    ),
  };
}
