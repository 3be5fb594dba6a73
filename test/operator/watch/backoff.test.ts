import { expect, test } from 'vitest';
import { createBackoff } from '../../../operator/watch/backoff.ts';

interface Waits {
  readonly wait: (leastMs?: number) => number;
  readonly succeeded: () => void;
  readonly pass: (ms: number) => void;
}

function make(random = 1): Waits {
  let nowMs = 1000;
  const backoff = createBackoff({ monotonic: () => nowMs }, () => random);
  return {
    wait: (leastMs) => backoff.next(leastMs),
    succeeded: () => backoff.succeeded(),
    pass: (ms) => void (nowMs += ms),
  };
}

test('waits double up to ten seconds, and are jittered from nothing to the whole', () => {
  const { wait } = make();
  expect(Array.from({ length: 7 }, () => wait())).toEqual([800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
  expect(make(0).wait()).toBe(0);
  expect(make(0.25).wait()).toBe(200);
});

test('a wait is no shorter than what a server asks for', () => {
  const { wait } = make(0);
  expect([wait(5000), wait(20_000), wait()]).toEqual([5000, 20_000, 0]);
});

test('what works for two minutes starts again from the beginning, what works for less does not', () => {
  const { wait, succeeded, pass } = make();
  for (let failures = 0; failures < 3; failures += 1) wait();
  succeeded();
  pass(119_999);
  succeeded();
  expect(wait()).toBe(6400);
  succeeded();
  pass(120_000);
  expect([wait(), wait()]).toEqual([800, 1600]);
});

test('time that passes without a success heals nothing', () => {
  const { wait, pass } = make();
  wait();
  pass(3_600_000);
  expect(wait()).toBe(1600);
});
