// A backend that always fails, seen from where it is (V5): under steady traffic over three gateways it gets one request when
// a disable ends, by whichever gateway is first, and none in between.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { quantile } from '../integration/state/redis-fleet.ts';
import { requires } from '../support/requires.ts';
import type { UpstreamRequest } from '../support/upstream.ts';
import { printTable, Tally } from './crowd.ts';
import { failuresOf, Load } from './redis-load.ts';
import { openChaosStage } from './redis-stage.ts';
import { sized, timeoutMs } from './scale.ts';

const program = await requires('redis-server');
const perSecond = sized({ usual: 60, full: 200 });
const lastsMs = sized({ usual: 5000, full: 60_000 });
/** Of the route `mixed`. */
const disableMs = 1000;
/** A disable counts from when the gateway has read the answer, whose time is rounded. */
const toleranceMs = 5;
/** Between processes: pub/sub, its backstop, and whatever a busy machine keeps a gateway waiting. */
const newsMs = 3000;

program.describe('several gateways', () => {
  test(
    'a backend that always fails gets one request when its disable ends, and none in between',
    { timeout: timeoutMs(90) },
    async () => {
      await using stage = await openChaosStage(program.path, 3);
      const load = new Load({
        targets: () => stage.members,
        path: '/mixed/chat/completions',
        perSecond,
        backends: ['good', 'other'],
      }).start();
      await delay(lastsMs);
      const outcomes = await load.stop();

      const periods = toPeriods(stage.flaky.requests);
      const later = periods.slice(1);
      const sizes = new Tally();
      for (const { requests } of later) sizes.add(`${requests.length} ×`);
      const lateMs = later.map(({ lateMs: late }) => late);
      printTable('V5: a backend that always fails', {
        requests: `${outcomes.length}, ${perSecond} a second, by three gateways`,
        'disables of a second': periods.length,
        'requests that it got for the first': periods[0]?.requests.length ?? 0,
        'for each of the others': String(sizes),
        'tried again after the end, p50 / max ms': `${quantile(lateMs, 0.5).toFixed(0)} / ${quantile(lateMs, 1).toFixed(0)}`,
      });
      expect(failuresOf(outcomes)).toEqual([]);
      // It was tried again and again.
      expect(later.length).toBeGreaterThanOrEqual(2);
      // One of all finds out. A gateway that gets no answer from Redis in time, on a machine that is too busy, tries itself.
      expect(Math.max(...later.map(({ requests }) => requests.length))).toBeLessThanOrEqual(stage.members.length);
      for (const { requests } of periods) {
        const [first] = requests as [UpstreamRequest];
        for (const { receivedAtMs } of requests) expect(receivedAtMs - first.receivedAtMs).toBeLessThan(newsMs);
      }
    },
  );
});

/** Requests of one disable: those before anybody could know of it. */
interface Period {
  readonly requests: readonly UpstreamRequest[];
  /** From the end of the disable before; for the first 0. */
  readonly lateMs: number;
}

function toPeriods(requests: readonly UpstreamRequest[]): readonly Period[] {
  const periods: { requests: UpstreamRequest[]; lateMs: number; endMs: number }[] = [];
  for (const request of requests) {
    const last = periods.at(-1);
    const endMs = (request.answeredAtMs ?? Infinity) + disableMs;
    if (last === undefined) periods.push({ requests: [request], lateMs: 0, endMs });
    else if (request.receivedAtMs < last.endMs - toleranceMs) last.requests.push(request);
    else periods.push({ requests: [request], lateMs: request.receivedAtMs - last.endMs, endMs });
  }
  return periods;
}
