// Fleets of proxies in virtual time: whatever goes wrong around them, what must hold holds. A seed that breaks something is
// told in words by `npm run simulate -- --seed N --trace`.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { DisableBook } from '../../../proxy/state/store.ts';
import { sized, timeoutMs } from '../scale.ts';
import { summarize } from './report.ts';
import type { Sabotage } from './sight.ts';
import { type Run, type RunOptions, simulate } from './simulation.ts';

const seeds = sized({ usual: 250, full: 10_000 });

async function runAll(from: number, count: number, options: RunOptions = {}): Promise<Run[]> {
  const runs: Run[] = [];
  for (let seed = from; seed < from + count; seed += 1) runs.push(await simulate(seed, options));
  return runs;
}

test(`${seeds} runs break no invariant`, { timeout: 180_000 + timeoutMs(1200) }, async () => {
  const begunMs = performance.now();
  const runs = await runAll(1, seeds);
  const { lines, broken } = summarize(runs, performance.now() - begunMs);
  process.stdout.write(`\n${lines.join('\n')}\n`);
  expect(broken, lines.join('\n')).toBe(0);
  // Nothing was shown if nothing went wrong.
  const total = (what: string): number => runs.reduce((sum, { counts }) => sum + (counts.get(what) ?? 0), 0);
  for (const what of ['provider ill', 'Redis fails over', 'proxy die', 'person', 'override', 'retry', 'client left']) {
    expect(total(what), what).toBeGreaterThan(seeds / 20);
  }
  expect(total('answered')).toBeGreaterThan(seeds * 20);
});

test.each([
  [3, 'the trial after a person’s disable was forgotten'],
  [124, 'a retry went to a backend that a person had switched off while it waited'],
  [4062, 'a request was sent for a client that had left while it waited for the trial of a key'],
  [4195, 'a backend was asked that had been disabled while its key was waited for'],
  [5436, 'a key that was claimed for its trial by a client that left stayed claimed'],
])('seed %i: %s', async (seed) => {
  const { breaches, counts } = await simulate(seed);
  expect(breaches).toEqual([]);
  expect(counts.get('answered')).toBeGreaterThan(0);
});

test('a seed gives the same run again, in this process and in another', { timeout: 60_000 }, async () => {
  const seed = 7;
  const [once] = await runAll(seed, 1, { trace: true });
  await runAll(100, 5);
  const [again] = await runAll(seed, 1, { trace: true });
  expect(again?.lines).toEqual(once?.lines);
  expect(again?.digest).toBe(once?.digest);
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const told = execFileSync(process.execPath, [main, '--seed', String(seed)], { encoding: 'utf8' });
  expect(told).toContain(`digest ${once?.digest}`);
});

describe('a fault of ours is found', () => {
  const faults: Readonly<Record<string, readonly [string, Sabotage]>> = {
    'disables that end early': ['I4', (book, clock) => sabotaged(book, { until: early(book, clock) })],
    'hard disables that are taken for soft ones': [
      'I4',
      (book) =>
        sabotaged(book, {
          find: (target) => {
            const found = book.find(target);
            return found === undefined ? undefined : { ...found, hard: false };
          },
        }),
    ],
    'trials for everybody': ['I3', (book) => sabotaged(book, { claim: () => true })],
    'trials that are never settled': ['I6', (book) => sabotaged(book, { settleTrial: () => {} })],
    'clears that are not obeyed': ['I4', (book) => sabotaged(book, { clear: () => {} })],
    'disables that are not recorded': [
      'I4',
      (book) => sabotaged(book, { disable: (target, cause) => entryOf(target, cause.untilMs) }),
    ],
  };

  test.each(Object.entries(faults))('%s', async (_name, [invariant, sabotage]) => {
    const broken = new Set<string>();
    for (let seed = 1; seed <= 60 && !broken.has(invariant); seed += 1) {
      for (const breach of (await simulate(seed, { sabotage })).breaches) broken.add(breach.invariant);
    }
    expect([...broken]).toContain(invariant);
  });
});

function sabotaged(book: DisableBook, fault: Partial<DisableBook>): DisableBook {
  return {
    find: (target) => book.find(target),
    until: (target) => book.until(target),
    disable: (target, cause) => book.disable(target, cause),
    clear: (target) => book.clear(target),
    list: () => book.list(),
    claim: (target) => book.claim(target),
    settleTrial: (target, succeeded, begunMs) => book.settleTrial(target, succeeded, begunMs),
    isTrial: (target, begunMs) => book.isTrial(target, begunMs),
    repeats: (target) => book.repeats(target),
    onChange: (listener) => book.onChange(listener),
    ...fault,
  };
}

/** What is out for longer than a second seems to be back a second early. */
function early(book: DisableBook, clock: { now(): number }): DisableBook['until'] {
  return (target) => {
    const until = book.until(target);
    return until === 0 || until - 1000 > clock.now() ? until : 0;
  };
}

function entryOf(target: string, untilMs: number): ReturnType<DisableBook['disable']> {
  return { id: 'none', target, hard: false, reason: 'ServerError', sinceMs: 0, untilMs, by: 'nobody', generation: 0 };
}
