// One of three backends goes bad under steady traffic: how many requests meet it before it is left alone, and that no client
// notices.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chat } from '../support/chat.ts';
import { backend, rule } from '../support/config.ts';
import { faults } from '../support/faults.ts';
import { openStage } from '../support/stage.ts';
import type { Script } from '../support/upstream.ts';
import { printTable, seededRandom } from './crowd.ts';
import { failuresOf, Load } from './redis-load.ts';
import { sized, timeoutMs } from './scale.ts';

const perSecond = sized({ usual: 50, full: 100 });
const calmMs = sized({ usual: 1000, full: 3000 });
const badMs = sized({ usual: 2500, full: 10_000 });
const names = ['a', 'b', 'c'] as const;
const random = seededRandom(53);
/** With words enough that half of an answer is half of one. */
const usualMs = 10;

interface Decline {
  readonly name: string;
  readonly script: Script;
  /** Requests that may meet it; undefined where it is not disabled but asked less. */
  readonly requestsMax: number | undefined;
  readonly strategy: 'RoundRobin' | 'LeastLatency';
}

const well = chat('a', { afterMs: usualMs });
const sometimes = (share: number, script: Script | undefined): Script => {
  if (script === undefined) throw new Error('no such fault');
  return (exchange) => (random() < share ? script : well)(exchange);
};

const declines: readonly Decline[] = [
  {
    name: 'every request fails',
    script: sometimes(1, faults['a 500']?.script),
    requestsMax: 5,
    strategy: 'RoundRobin',
  },
  {
    name: 'half of them fail',
    script: sometimes(0.5, faults['a 503']?.script),
    requestsMax: 16,
    strategy: 'RoundRobin',
  },
  {
    name: 'one in ten is cut',
    script: sometimes(0.1, faults['half of the JSON']?.script),
    requestsMax: 80,
    strategy: 'RoundRobin',
  },
  {
    name: 'ten times as slow',
    script: chat('a', { afterMs: 10 * usualMs }),
    requestsMax: undefined,
    strategy: 'LeastLatency',
  },
];

test.each(declines)('$name', { timeout: timeoutMs(60) }, async ({ name, script, requestsMax, strategy }) => {
  await using stage = await openStage(
    { a: well, b: chat('b', { afterMs: usualMs }), c: chat('c', { afterMs: usualMs }) },
    {
      rules: [
        rule(
          names.map((it) => backend(it)),
          { strategy },
        ),
      ],
    },
  );
  const { a } = stage.upstreams;
  const load = new Load({
    targets: () => [{ url: stage.gateway.url }],
    path: '/chat/chat/completions',
    perSecond,
    backends: names,
  }).start();
  await delay(calmMs);
  const before = a.requests.length;
  const badAtMs = performance.now();
  a.script = script;
  await delay(badMs);
  const met = a.requests.slice(before);
  const outcomes = await load.stop();
  const lastMs = (met.at(-1)?.receivedAtMs ?? badAtMs) - badAtMs;
  const all = outcomes.filter(({ atMs }) => atMs >= badAtMs).length;
  printTable(`One of three backends declines: ${name}`, {
    requests: `${outcomes.length}, ${perSecond} a second, ${failuresOf(outcomes).length} failed`,
    'met the bad backend': `${met.length} of ${all}, the last after ${lastMs.toFixed(0)} ms`,
  });
  expect(failuresOf(outcomes)).toEqual([]);
  expect(before).toBeGreaterThan(0);
  if (requestsMax !== undefined) expect(met.length).toBeLessThanOrEqual(requestsMax);
  // A third would be its share.
  else expect(met.length).toBeLessThan(all / 5);
});
