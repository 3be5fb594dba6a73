// Two of three backends fail before the first content, in every way and all the time: no client loses an answer, none gets
// somebody else's or a mixed one, and what is disabled is left alone.

import { expect, test } from 'vitest';
import { chat, chatRequest, markedText } from '../support/chat.ts';
import { ask, contentOf, streamedContentOf } from '../support/client.ts';
import { backend, failover, route, rule } from '../support/config.ts';
import { openStage } from '../support/stage.ts';
import { quantile } from '../integration/state/redis-fleet.ts';
import { crowd, printTable, seededRandom, Tally, watchStalls } from './crowd.ts';
import { extraAttempts, FaultyUpstream } from './faulty-upstream.ts';
import { sized, timeoutMs } from './scale.ts';

const requests = sized({ usual: 2000, full: 20_000 });
const atOnce = 40;
/** Each has backends of its own, so that there are as many to fail. */
const routes = sized({ usual: 51, full: 401 });
const disableMs = 1000;
const changeEveryMs = 130;
const hangMs = 300;

test(`of ${requests} requests none is lost or mixed`, { timeout: timeoutMs(240) }, async () => {
  const disable = { failures: 1, windowSeconds: 60, seconds: disableMs / 1000 };
  await using stage = await openStage(
    { a: chat('a'), b: chat('b'), good: chat('good') },
    {
      draft: (usual) => ({
        ...usual,
        routes: Array.from({ length: routes }, (_, number) =>
          route(`r${number}`, [
            rule(
              ['a', 'b', 'good'].map((name) => backend(name)),
              { failover: failover({ disable }) },
            ),
          ]),
        ),
        // Only those that hang are hurried: a busy machine must not make a failure of the healthy one.
        providers: usual.providers.map((it) =>
          it.id === 'default/good'
            ? it
            : {
                ...it,
                timeouts: { ...it.timeouts, firstContentSeconds: hangMs / 1000, responseSeconds: hangMs / 1000 },
              },
        ),
      }),
    },
  );
  const injected = new Tally();
  const faulty = (['a', 'b'] as const).map(
    (name, index) => new FaultyUpstream(name, stage.upstreams[name], injected, seededRandom(index + 1)),
  );
  const outcomes = new Tally();
  const attempts = new Tally();
  const tookMs: number[] = [];
  const wrong: string[] = [];

  const stallOf = watchStalls();
  for (const it of faulty) it.begin(changeEveryMs);
  const beganAtMs = performance.now();
  await crowd(requests, atOnce, async (number) => {
    const streamed = number % 2 === 0;
    const marker = `m${number}`;
    const sentAtMs = performance.now();
    const body = chatRequest(marker, { stream: streamed, model: `r${number % routes}` });
    const answered = await ask(`${stage.gateway.url}/v1/chat/completions`, { body });
    tookMs.push(performance.now() - sentAtMs);
    const whole = answered.status === 200 && !answered.broken && (!streamed || answered.text.includes('[DONE]'));
    const text = !whole ? '' : streamed ? streamedContentOf(answered) : contentOf(answered);
    const outcome = !whole
      ? 'lost'
      : text === markedText(answered.headers['x-sluice-backend'] ?? '', marker)
        ? 'right'
        : 'mixed';
    outcomes.add(outcome);
    attempts.add(answered.headers['x-sluice-attempts'] ?? '?');
    if (outcome !== 'right' && wrong.length < 5) wrong.push(`${answered.status} ${answered.text.slice(0, 300)}`);
  });
  const seconds = (performance.now() - beganAtMs) / 1000;
  for (const it of faulty) await it.end();

  const inFlightMs = stallOf();
  const extras = extraAttempts(faulty, { disableMs, hangMs, inFlightMs });
  printTable('Faults before content', {
    requests: `${requests}, half of them streams, ${atOnce} at a time, ${(requests / seconds).toFixed(0)} per second`,
    lost: outcomes.of('lost'),
    mixed: outcomes.of('mixed'),
    'faults injected': `${String(injected)} (and refused connections)`,
    'attempts needed': String(attempts),
    'answers by': Object.entries(stage.upstreams)
      .map(([name, { requests: all }]) => `${name} ${all.length}`)
      .join(', '),
    'disable periods': extras.length,
    'extra attempts in one': `at most ${Math.max(0, ...extras)}, in all ${extras.reduce((sum, extra) => sum + extra, 0)} (later than ${inFlightMs.toFixed(0)} ms after the failure)`,
    'time for an answer': `p50 ${quantile(tookMs, 0.5).toFixed(0)} ms, p99 ${quantile(tookMs, 0.99).toFixed(0)} ms`,
  });
  expect(wrong).toEqual([]);
  expect(outcomes.of('right')).toBe(requests);
  expect(Math.max(0, ...extras)).toBeLessThanOrEqual(1);
  expect(extras.length).toBeGreaterThan(routes);
  expect((await stage.gateway.state()).inFlight).toBe(0);
});
