// Gateways are replaced one after the other while clients go on, some of them in the middle of long streams: the only
// thing that a client may ever see is a closed door, and the next one is open.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { quantile, report } from '../integration/state/redis-fleet.ts';
import { failuresOf, Load } from './redis-load.ts';
import type { Member } from './redis-processes.ts';
import { type ChaosStage, openChaosStage } from './redis-stage.ts';
import { sized, timeoutMs } from './scale.ts';

const program = await requires('redis-server');
const rounds = sized({ usual: 1, full: 10 });
const perSecond = sized({ usual: 60, full: 100 });
const streamsAtOnce = sized({ usual: 30, full: 100 });
const streamMs = sized({ usual: 3000, full: 20_000 });
const words = 30;
/** A restart takes as long as a process needs to start; so many more seconds are for the streams and the drain. */
const settleMs = 500;

program.describe('a rolling restart under traffic with open streams', () => {
  let stage: ChaosStage;
  beforeAll(async () => {
    stage = await openChaosStage(program.path, 3, { words, gapMs: Math.round(streamMs / words) });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  test(
    `${rounds} × 3 processes: nothing fails and no stream is cut`,
    async () => {
      // Balancers learn late who has left: those that were told to end are still asked until they are gone.
      const known: Member[] = [...stage.members];
      const usual = { targets: () => known, words, backends: ['good', 'other'], path: '/steady/chat/completions' };
      const load = new Load({ ...usual, perSecond }).start();
      const streams = new Load({ ...usual, stream: true, perSecond: streamsAtOnce / (streamMs / 1000) }).start();
      const codes: Promise<number | string>[] = [];
      const drainedMs: number[] = [];
      await delay(settleMs);
      for (let round = 0; round < rounds; round += 1) {
        for (const old of stage.members.slice()) {
          known.push(await stage.join(['--drain-seconds', '60']));
          stage.members.splice(stage.members.indexOf(old), 1);
          codes.push(endOf(old, known, drainedMs));
          await delay(settleMs);
        }
      }
      await Promise.all(codes);
      const whole = await load.stop();
      const streamed = await streams.stop();

      const took = whole.map(({ tookMs }) => tookMs);
      report(`${rounds} × 3 restarts under ${perSecond} requests a second, ms`, {
        requests: whole.length,
        p50: quantile(took, 0.5),
        p99: quantile(took, 0.99),
        max: quantile(took, 1),
        'closed doors': whole.reduce((sum, { refused }) => sum + refused, 0),
      });
      report(`streams of ${streamMs / 1000} s meanwhile`, {
        streams: streamed.length,
        'closed doors': streamed.reduce((sum, { refused }) => sum + refused, 0),
        'longest drain ms': Math.max(...drainedMs),
      });
      expect(failuresOf(whole)).toEqual([]);
      expect(failuresOf(streamed)).toEqual([]);
      expect(await Promise.all(codes)).toEqual(Array.from({ length: 3 * rounds }, () => 0));
    },
    timeoutMs(900),
  );

  test('a short drain ends streams with an error that says so, and still with exit code 0', async () => {
    const member = await stage.join(['--drain-seconds', '1']);
    const streams = new Load({
      targets: () => [member],
      path: '/steady/chat/completions',
      perSecond: 20,
      stream: true,
      words,
      backends: ['good', 'other'],
    }).start();
    await delay(400);
    const ended = member.end();
    const outcomes = await streams.stop();
    expect(await ended).toBe(0);
    const failures = failuresOf(outcomes);
    expect(failures.length).toBe(outcomes.length);
    expect(failures.filter((failure) => !/^truncated: .*"code":"draining"/s.test(failure))).toEqual([]);
  });
});

/** Asks a gateway to end, and takes it off the list when its door has been closed for a while. */
async function endOf(member: Member, known: Member[], drainedMs: number[]): Promise<number | string> {
  const begunMs = performance.now();
  const ended = member.end();
  await delay(settleMs);
  known.splice(known.indexOf(member), 1);
  const code = await ended;
  drainedMs.push(performance.now() - begunMs);
  return code;
}
