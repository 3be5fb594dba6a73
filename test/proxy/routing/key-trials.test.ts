// Rule 9 and row 9 of failure.md over days: how often a key that is refused, or without money, is asked again.

import { describe, expect, it } from 'vitest';
import { Availability } from '../../../proxy/routing/availability.ts';
import { answered, JudgeRig } from './judge-rig.ts';

const pool = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;
const minuteMs = 60_000;

/** A request a second for so long, which all fail in that way; the minutes at which the key was used. */
function usesOf(rig: JudgeRig, minutes: number, status: number): number[] {
  const { target } = rig.key('k1');
  const used: number[] = [];
  for (let second = 0; second < minutes * 60; second += 1) {
    if (rig.disables.until(target) === 0 && rig.disables.claim(target)) {
      used.push(second / 60);
      rig.fail('a', answered(status), { key: 'k1' });
    }
    rig.clock.turn(1000);
  }
  return used;
}

describe('a key', () => {
  it('that never worked and is refused is asked again every 15 minutes', () => {
    const rig = new JudgeRig({}, pool);
    expect(usesOf(rig, 61, 401)).toEqual([0, 15, 30, 45, 60]);
    expect(rig.keyEntry('k1')).toMatchObject({ hard: true, reason: 'Authentication' });
  });

  it('without money is asked again every hour', () => {
    const rig = new JudgeRig({}, pool);
    expect(usesOf(rig, 181, 402)).toEqual([0, 60, 120, 180]);
    expect(rig.keyEntry('k1')).toMatchObject({ hard: true, reason: 'Quota' });
  });

  it('that worked within the hour rests 10 seconds, and twice as long each time, up to 15 minutes', () => {
    const rig = new JudgeRig({}, pool);
    rig.succeed('a', { key: 'k1' });
    const used = usesOf(rig, 59, 401).map((minute) => Math.round(minute * 60));
    const rests = used.slice(1).map((atS, index) => atS - (used[index] ?? 0));
    expect(rests).toEqual([10, 20, 40, 80, 160, 320, 640, 900, 900]);
    expect(rig.keyEntry('k1')).toMatchObject({ hard: false });
    // What worked an hour ago vouches for nothing any more.
    rig.clock.turn(20 * minuteMs);
    rig.fail('a', answered(401), { key: 'k1' });
    expect(rig.keyEntry('k1')).toMatchObject({ hard: true });
  });
});

it('a pool whose keys all rest softly may be overridden, one whose keys are refused may not', () => {
  const rig = new JudgeRig({}, pool);
  const availability = new Availability(rig.disables, rig.clock, 'gpt');
  const [one, two] = [rig.key('k1'), rig.key('k2')];
  rig.succeed('a', { key: 'k1' });
  rig.fail('a', answered(401), { key: 'k1' });
  rig.fail('a', answered(401), { key: 'k2' });
  expect(availability.keys(rig.backend('a'), false)).toEqual([]);
  expect(availability.keys(rig.backend('a'), true)).toEqual([one]);
  expect([availability.claimKey(one), availability.claimKey(one)]).toEqual([true, true]);
  expect(rig.disables.find(two.target)?.hard).toBe(true);
  rig.clock.turn(10_000);
  expect([availability.claimKey(one), availability.claimKey(one)]).toEqual([true, false]);
});
