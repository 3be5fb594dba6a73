import { describe, expect, it } from 'vitest';
import { answered, broken, JudgeRig } from './judge-rig.ts';

const pool = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;
const modelNotFound = answered(404, JSON.stringify({ error: { message: 'no such model', code: 'model_not_found' } }));
const rest = { retries: 0, keysLeft: { any: false, otherAccount: false }, leftMs: 1_000_000 };

describe('the counting of failures (rule 4)', () => {
  it('disables at the configured count within the window, for exactly the configured time', () => {
    const rig = new JudgeRig({ disable: { failures: 3, windowSeconds: 60, seconds: 90 } });
    rig.fail('a');
    rig.clock.turn(30_000);
    rig.fail('a');
    rig.clock.turn(30_001);
    rig.fail('a');
    expect(rig.disabledFor('a')).toBe(0);
    rig.fail('a');
    expect(rig.disabledFor('a')).toBe(90);
    expect(rig.disabledFor('b')).toBe(0);
    rig.clock.turn(89_999);
    expect(rig.disabledFor('a')).toBe(0.001);
    rig.clock.turn(1);
    expect(rig.disabledFor('a')).toBe(0);
  });

  it('never disables where the time is 0', () => {
    const rig = new JudgeRig({ disable: { failures: 1, windowSeconds: 60, seconds: 0 } });
    for (let count = 0; count < 10; count += 1) rig.fail('a');
    expect(rig.disabledFor('a')).toBe(0);
    expect(rig.disables.list()).toEqual([]);
  });

  it('grows only where a maximum is set, and forgets after a calm as long as the last disable', () => {
    const seconds = (maxSeconds: number | undefined, calmMs: number): number[] => {
      const rig = new JudgeRig({
        disable: { failures: 1, windowSeconds: 60, seconds: 10, ...(maxSeconds === undefined ? {} : { maxSeconds }) },
      });
      return Array.from({ length: 4 }, () => {
        rig.fail('a');
        const disabledFor = rig.disabledFor('a');
        rig.clock.turn(disabledFor * 1000 + calmMs);
        return disabledFor;
      });
    };
    expect(seconds(undefined, 1_000)).toEqual([10, 10, 10, 10]);
    expect(seconds(35, 1_000)).toEqual([10, 20, 35, 35]);
    expect(seconds(35, 40_000)).toEqual([10, 10, 10, 10]);
  });

  it('counts what the route lists, whatever its class, and nothing that is the client’s fault otherwise', () => {
    const plain = new JudgeRig();
    for (const status of [400, 413, 422]) plain.fail('a', answered(status));
    expect(plain.disabledFor('a')).toBe(0);
    const strict = new JudgeRig({ statusCodes: [[400, 499]] });
    strict.fail('a', answered(422));
    expect(strict.disabledFor('a')).toBe(600);
  });

  it('rests only the model where the backend answered but had nothing to say', () => {
    const rig = new JudgeRig();
    rig.fail('c', broken('content-timeout'), { model: 'gpt' });
    expect(rig.disabledFor('c')).toBe(0);
    expect(rig.disabledFor('c', 'gpt')).toBe(600);
  });
});

describe('a success (rule 4)', () => {
  it('enables a backend if its attempt was begun while that was disabled', () => {
    const rig = new JudgeRig();
    rig.fail('a');
    rig.fail('a', broken('content-timeout'));
    rig.clock.turn(1_000);
    rig.succeed('a', { disabled: true });
    expect(rig.disabledFor('a')).toBe(0);
    expect(rig.disabledFor('a', 'small')).toBe(0);
    expect(rig.claim('a') && rig.claim('a')).toBe(true);
  });

  it('changes nothing if its attempt was begun before', () => {
    const rig = new JudgeRig();
    const before = rig.begin('a');
    rig.clock.turn(1_000);
    rig.fail('a');
    rig.clock.turn(1_000);
    rig.judge.succeeded(before);
    expect(rig.disabledFor('a')).toBe(599);
    rig.clock.turn(599_000);
    rig.judge.succeeded(before);
    expect([rig.claim('a'), rig.claim('a')]).toEqual([true, false]);
  });
});

describe('a trial (rule 21)', () => {
  const threeTimes = { disable: { failures: 3, windowSeconds: 60, seconds: 10 } };

  /** A backend whose disable has just ended. */
  function returned(): JudgeRig {
    const rig = new JudgeRig(threeTimes);
    for (let count = 0; count < 3; count += 1) rig.fail('a');
    expect(rig.disabledFor('a')).toBe(10);
    rig.clock.turn(10_000);
    return rig;
  }

  it('that fails disables again at once, however many failures the route allows', () => {
    const rig = returned();
    expect([rig.claim('a'), rig.claim('a')]).toEqual([true, false]);
    rig.fail('a');
    expect(rig.disabledFor('a')).toBe(10);
  });

  it('that succeeds makes the backend one like any other', () => {
    const rig = returned();
    rig.claim('a');
    rig.succeed('a');
    expect([rig.claim('a'), rig.claim('a')]).toEqual([true, true]);
    rig.fail('a');
    expect(rig.disabledFor('a')).toBe(0);
  });

  it('that comes to no verdict leaves the next request to try', () => {
    const rig = returned();
    rig.claim('a');
    rig.judge.released(rig.begin('a'));
    expect([rig.claim('a'), rig.claim('a')]).toEqual([true, false]);
  });

  it('is not settled by who uses the backend or key beside it for want of others, unless that goes well', () => {
    const rig = new JudgeRig({}, pool);
    const key = rig.key('k1').target;
    rig.fail('a');
    rig.fail('a', answered(401), { key: 'k1' });
    rig.clock.turn(900_000);
    expect([rig.claim('a'), rig.disables.claim(key)]).toEqual([true, true]);
    const beside = rig.begin('a', { disabled: true, key: 'k1' });
    rig.judge.released(beside);
    rig.judge.failed({ ...beside, signal: answered(400) });
    expect([rig.claim('a'), rig.disables.claim(key)]).toEqual([false, false]);
    rig.judge.succeeded(beside);
    expect([rig.claim('a'), rig.claim('a'), rig.disables.claim(key)]).toEqual([true, true, true]);
  });

  it('is not lost by one failure of who uses the backend beside it for want of others', () => {
    const rig = returned();
    rig.claim('a');
    rig.fail('a', answered(503), { disabled: true });
    expect([rig.disabledFor('a'), rig.claim('a')]).toEqual([0, false]);
  });

  it('is not settled by attempts that began before it', () => {
    const rig = new JudgeRig(threeTimes);
    const early = rig.begin('a');
    for (let count = 0; count < 3; count += 1) rig.fail('a');
    rig.clock.turn(10_000);
    rig.claim('a');
    rig.judge.succeeded(early);
    rig.judge.released(early);
    expect(rig.claim('a')).toBe(false);
    rig.judge.failed({ ...early, signal: answered(503) });
    expect(rig.disabledFor('a')).toBe(0);
    expect(rig.claim('a')).toBe(false);
  });

  it('that fails by the client’s fault disables nothing', () => {
    const rig = returned();
    rig.claim('a');
    rig.fail('a', answered(400));
    expect(rig.disabledFor('a')).toBe(0);
    expect([rig.claim('a'), rig.claim('a')]).toEqual([true, false]);
  });
});

describe('a poisonous request (rule 5)', () => {
  it('does not count against a second backend for ten minutes', () => {
    const rig = new JudgeRig({ disable: { failures: 1, windowSeconds: 60, seconds: 10 } });
    rig.fail('a', answered(500));
    rig.fail('b', answered(500));
    expect([rig.disabledFor('a'), rig.disabledFor('b')]).toEqual([10, 0]);
    rig.fail('b', answered(502));
    expect(rig.disabledFor('b')).toBe(10);
    rig.clock.turn(600_000);
    rig.claim('b');
    rig.succeed('b');
    rig.fail('b', answered(500));
    expect(rig.disabledFor('b')).toBe(10);
  });
});

describe('a model that is not found (rule 8)', () => {
  it('rests the backend that names it for 300 s, and nothing where the client named it', () => {
    const rig = new JudgeRig();
    rig.fail('a', modelNotFound);
    expect(rig.disabledFor('a')).toBe(300);
    rig.fail('c', modelNotFound);
    expect([rig.disabledFor('c'), rig.disabledFor('c', 'gpt')]).toEqual([0, 0]);
  });
});

describe('a refused credential (rule 9)', () => {
  const refused = answered(401);

  it('takes a key that never worked out hard, and leaves its backend alone', () => {
    const rig = new JudgeRig({}, pool);
    rig.fail('a', refused, { key: 'k1' });
    expect(rig.keyEntry('k1')).toMatchObject({ hard: true, reason: 'Authentication' });
    expect(rig.keyDisabledFor('k1')).toBe(900);
    expect([rig.keyDisabledFor('k2'), rig.disabledFor('a')]).toEqual([0, 0]);
  });

  it('rests one that worked within the hour for 10 s, doubling to 15 min, and from the start after it has worked', () => {
    const rig = new JudgeRig({}, pool);
    rig.succeed('a', { key: 'k1' });
    const rests = Array.from({ length: 8 }, () => {
      rig.fail('a', refused, { key: 'k1' });
      const seconds = rig.keyDisabledFor('k1');
      expect(rig.keyEntry('k1')?.hard).toBe(false);
      rig.clock.turn(seconds * 1000);
      return seconds;
    });
    expect(rests).toEqual([10, 20, 40, 80, 160, 320, 640, 900]);
    rig.succeed('a', { key: 'k1' });
    rig.fail('a', refused, { key: 'k1' });
    expect(rig.keyDisabledFor('k1')).toBe(10);
    rig.clock.turn(3_600_001);
    rig.fail('a', refused, { key: 'k1' });
    expect(rig.keyEntry('k1')?.hard).toBe(true);
  });

  it('rests a key for the model until the reset that a 429 names', () => {
    const rig = new JudgeRig({}, pool);
    rig.fail('a', answered(429, '{}', { 'retry-after': '30' }), { key: 'k1' });
    expect(Math.max(rig.keyDisabledFor('k1'), rig.keyDisabledFor('k1', 'small'))).toBe(30);
    expect(rig.disabledFor('a')).toBe(0);
  });

  it('counts against a backend that has no pool, and rests it where it says for how long', () => {
    const rig = new JudgeRig();
    rig.fail('a', refused);
    expect(rig.disabledFor('a')).toBe(600);
    rig.fail('b', answered(429, '{}', { 'retry-after': '30' }));
    expect(rig.disabledFor('b')).toBe(30);
  });

  it('disables nothing where it was the client’s own, and goes nowhere else', () => {
    const rig = new JudgeRig({}, { type: 'Passthrough' });
    for (const status of [401, 403, 429]) {
      const failure = rig.fail('a', answered(status));
      expect(rig.judge.next(failure, rig.begin('a'), rest)).toEqual({ type: 'stop' });
    }
    expect(rig.disables.list()).toEqual([]);
  });

  it('never shows the key or the upstream’s address', () => {
    const rig = new JudgeRig({}, pool);
    const body = JSON.stringify({
      error: { message: 'secret-k1 is wrong for a.example', type: 'invalid_request_error' },
    });
    const failure = rig.fail('a', answered(400, body), { key: 'k1' });
    expect(JSON.stringify(failure.client)).not.toMatch(/secret-k1|a\.example/);
    expect(failure.client?.message).toContain('is wrong for');
  });
});

describe('the next step', () => {
  const retry = { attempts: 2, baseMillis: 100, maxMillis: 2_000, jitterPercent: 20 };

  it.each([
    ['a rate limit', answered(429), true],
    ['an error', answered(500), true],
    ['overload', answered(503), true],
    ['a reset', broken('reset'), true],
    ['a refused connection', broken('connect'), false],
    ['a name that does not resolve', broken('dns'), false],
    ['a timeout', broken('headers-timeout'), false],
    ['a truncated answer', { type: 'truncated', cause: 0 } as const, false],
  ])('after %s is the same backend only where that can help (rule 2)', (_name, signal, retries) => {
    const rig = new JudgeRig({ retry });
    const next = rig.judge.next(rig.fail('a', signal), rig.begin('a'), rest);
    expect(next.type).toBe(retries ? 'same-backend' : 'next-backend');
  });

  it('waits longer each time, at least as long as it was told to, and gives up where that is too long', () => {
    const rig = new JudgeRig({ retry });
    const next = (signal: ReturnType<typeof answered>, retries: number, leftMs = 10_000) =>
      rig.judge.next(rig.fail('a', signal), rig.begin('a'), { ...rest, retries, leftMs });
    expect(next(answered(500), 0)).toEqual({ type: 'same-backend', waitMs: 100 });
    expect(next(answered(500), 1)).toEqual({ type: 'same-backend', waitMs: 200 });
    expect(next(answered(500), 2).type).toBe('next-backend');
    expect(next(answered(503, '{}', { 'retry-after': '1' }), 0)).toEqual({ type: 'same-backend', waitMs: 1_000 });
    expect(next(answered(503, '{}', { 'retry-after': '3' }), 0).type).toBe('next-backend');
    expect(next(answered(500), 0, 100).type).toBe('next-backend');
  });

  it('is another key before it is a retry', () => {
    const rig = new JudgeRig({ retry }, pool);
    const failed = rig.begin('a', { key: 'k1' });
    const failure = rig.fail('a', answered(429), { key: 'k1' });
    const keysLeft = { any: true, otherAccount: false };
    expect(rig.judge.next(failure, failed, { ...rest, keysLeft })).toMatchObject({ type: 'next-key' });
  });

  it('is only a backend with a larger declared context where the request was too long', () => {
    const rig = new JudgeRig();
    const error = { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' };
    const failure = rig.fail('a', answered(400, JSON.stringify({ error })));
    const next = rig.judge.next(failure, rig.begin('a'), rest);
    if (next.type !== 'next-backend') throw new Error(next.type);
    const { accepts } = next as { accepts?: (backend: ReturnType<JudgeRig['backend']>) => boolean };
    expect(['a', 'b', 'c'].filter((name) => accepts?.(rig.backend(name)))).toEqual(['b']);
  });
});

describe('the budget for extra attempts (rule 3)', () => {
  it('allows three in ten seconds, or the share of the requests, for retries and disabled backends together', () => {
    const rig = new JudgeRig({ retry: { attempts: 9, baseMillis: 1, maxMillis: 10, jitterPercent: 0 } });
    const extra = (): boolean[] => {
      const failed = rig.begin('a');
      return [
        rig.judge.mayOverride(rig.rule),
        rig.judge.next(rig.fail('a', answered(500)), failed, rest).type === 'same-backend',
      ];
    };
    expect([...extra(), ...extra(), ...extra()]).toEqual([true, true, true, false, false, false]);
    rig.clock.turn(10_000);
    for (let count = 0; count < 50; count += 1) rig.judge.request(rig.rule);
    const granted = Array.from({ length: 10 }, extra).flat();
    expect(granted.filter((yes) => yes)).toHaveLength(10);
  });

  it('ends the way on to the next backend, not the request, where a retry is beyond it', () => {
    const rig = new JudgeRig({ retry: { attempts: 9, baseMillis: 1, maxMillis: 10, jitterPercent: 0 } });
    for (let count = 0; count < 3; count += 1) rig.judge.mayOverride(rig.rule);
    expect(rig.judge.next(rig.fail('a', answered(500)), rig.begin('a'), rest).type).toBe('next-backend');
  });
});

describe('a trial before a backend returns', () => {
  it('that fails changes nothing: neither the end of the disable nor what is counted', () => {
    const rig = new JudgeRig({ disable: { failures: 1, windowSeconds: 60, seconds: 600, probeSeconds: 30 } });
    rig.fail('a');
    rig.clock.turn(100_000);
    rig.fail('a', answered(503, '{}', { 'retry-after': '200' }), { disabled: true, early: true });
    expect([rig.disabledFor('a'), rig.disabledFor('a', 'small')]).toEqual([500, 0]);
  });

  it('that finds the key refused disables the key', () => {
    const rig = new JudgeRig({}, { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } });
    rig.fail('a', answered(401), { disabled: true, early: true, key: 'k1' });
    expect([rig.disabledFor('a'), rig.keyDisabledFor('k1')]).toEqual([0, 900]);
  });

  it('that succeeds enables at once', () => {
    const rig = new JudgeRig();
    rig.fail('a');
    rig.succeed('a', { disabled: true, early: true });
    expect(rig.disabledFor('a')).toBe(0);
    expect([rig.claim('a'), rig.claim('a')]).toEqual([true, true]);
  });
});

describe('a key whose Secret has changed', () => {
  const pool = { type: 'KeyPool', keyPool: { strategy: 'RoundRobin', stickiness: 'None' } } as const;

  it('is not disabled for what its former secret was refused for, and not excused by what that was good for', () => {
    const rig = new JudgeRig({}, pool);
    const target = rig.key('k1').target;
    rig.keys.retain(new Map([[target, 'another']]));
    rig.succeed('a', { key: 'k1' });
    rig.fail('a', answered(401), { key: 'k1' });
    rig.fail('a', answered(429), { key: 'k1' });
    expect([rig.keyDisabledFor('k1'), rig.keyDisabledFor('k1', 'small'), rig.disabledFor('a')]).toEqual([0, 0, 0]);
    rig.keys.retain(new Map([[target, rig.key('k1').secret]]));
    rig.fail('a', answered(401), { key: 'k1' });
    expect(rig.keyEntry('k1')).toMatchObject({ hard: true, reason: 'Authentication' });
  });
});
