import { beforeEach, expect, it } from 'vitest';
import { Availability } from '../../../proxy/routing/availability.ts';
import type { Visit } from '../../../proxy/routing/visit.ts';
import type { TrialOutcome, Trials } from '../../../proxy/routing/trials.ts';
import { Trying } from '../../../proxy/steps/trying.ts';
import { JudgeRig } from '../routing/judge-rig.ts';

const pool = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;

let rig: JudgeRig;
let begun: string[];
let ended: [string, TrialOutcome][];
let skipped: Visit[];
/** What happens while the store is asked, and what it says. */
let answer: () => boolean;
let trying: Trying;

beforeEach(() => {
  rig = new JudgeRig({}, pool);
  begun = [];
  ended = [];
  skipped = [];
  answer = () => true;
  const trials: Trials = {
    isRipe: () => true,
    begin: async (target) => {
      begun.push(target);
      return answer();
    },
    end: (target, outcome) => void ended.push([target, outcome]),
  };
  const plan = { skip: (visit: Visit) => void skipped.push(visit) };
  const availability = new Availability(rig.disables, rig.clock, 'gpt');
  trying = new Trying({ trials, availability, plan, rule: rig.rule });
});

/** A visit to a backend whose disable has ended, and that has been claimed. */
function returned(): Visit {
  rig.fail('a');
  rig.clock.turn(600_000);
  rig.claim('a');
  return rig.begin('a').visit;
}

it('asks nobody about backends and keys that nothing is held against', () => {
  expect(trying.begin(rig.begin('a').visit)).toBeUndefined();
  expect(trying.beginKey(rig.begin('a').visit, rig.key('k1'))).toBeUndefined();
});

it('asks for a trial, and says how it ended, once', async () => {
  const visit = returned();
  expect(await trying.begin(visit)).toBe(true);
  trying.end(rig.begin('b').visit, undefined, 'failed');
  trying.end(visit, undefined, 'succeeded');
  trying.end(visit, undefined, 'failed');
  expect([begun, ended]).toEqual([[rig.backend('a').target], [[rig.backend('a').target, 'succeeded']]]);
});

it('gives a visit back that is somebody else’s to make', async () => {
  answer = () => false;
  const visit = returned();
  expect(await trying.begin(visit)).toBe(false);
  expect([skipped, ended]).toEqual([[visit], []]);
});

it('gives its turn back if the backend is out again when it comes', async () => {
  const visit = returned();
  answer = () => {
    rig.fail('a');
    return true;
  };
  expect(await trying.begin(visit)).toBe(false);
  expect([skipped, ended]).toEqual([[visit], [[rig.backend('a').target, 'unused']]]);
});

it('ends what nobody has ended when the search is over, however that ends', async () => {
  const visit = returned();
  const search = trying.around(async (asked: boolean) => {
    await trying.begin(visit);
    if (asked) throw new Error('a fault of ours');
  });
  await expect(search(true)).rejects.toThrow('a fault of ours');
  expect(ended).toEqual([[rig.backend('a').target, 'abandoned']]);
});

it('asks for a key that has returned, and gives the claim back where it is somebody else’s', async () => {
  const key = rig.key('k1');
  const { visit } = rig.begin('a');
  rig.fail('a', { type: 'answer', status: 401, headers: {}, body: '{}' }, { key: 'k1' });
  rig.clock.turn(900_000);
  expect(rig.disables.claim(key.target)).toBe(true);
  answer = () => false;
  expect(await trying.beginKey(visit, key)).toBe(false);
  expect(rig.disables.claim(key.target)).toBe(true);
  answer = () => true;
  expect(await trying.beginKey(visit, key)).toBe(true);
  trying.end(visit, key, 'failed');
  expect(ended).toEqual([[key.target, 'failed']]);
});

it('gives a key back that is not used after all, and leaves those of others alone', async () => {
  const key = rig.key('k1');
  const { visit } = rig.begin('a');
  rig.fail('a', { type: 'answer', status: 401, headers: {}, body: '{}' }, { key: 'k1' });
  rig.clock.turn(900_000);
  expect(rig.disables.claim(key.target)).toBe(true);
  // Somebody else's: a request that has nothing better uses the key beside it.
  expect(trying.beginKey({ ...visit, disabled: true }, key)).toBeUndefined();
  trying.dropKey(key);
  expect([begun, rig.disables.claim(key.target)]).toEqual([[], false]);
  expect(await trying.beginKey(visit, key)).toBe(true);
  trying.dropKey(key);
  trying.dropKey(key);
  expect(ended).toEqual([[key.target, 'unused']]);
  expect(rig.disables.claim(key.target)).toBe(true);
});
