// Elections on a bad day: requests and answers that are late or lost, an API server that is gone for a while, processes
// that are stopped, killed and restarted, at random. There may be no leader for a time, but never two.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Clock } from '../../../operator/clock.ts';
import type { KubeCall } from '../../../operator/kube/client.ts';
import { createElector } from '../../../operator/leader/elector.ts';
import { createKeptLog } from '../queue/kept-log.ts';
import { TurnedClock } from '../queue/turned-clock.ts';
import { clientOf, failure, LeaseServer, leaseName } from './lease-server.ts';

const badMs = 120_000;
/** Enough for a lease to expire, twice, and to be found. */
const calmMs = 60_000;
const replicas = 3;

interface Interval {
  readonly atMs: number;
  readonly forMs: number;
}

interface BadDay {
  readonly seed: number;
  /** Most requests are quick, some take up to so long, each way. */
  readonly slowMs: number;
  /** Of requests, and of answers. */
  readonly lostShare: number;
  readonly outages: readonly Interval[];
  readonly pauses: readonly (Interval & { readonly replica: number })[];
  readonly ends: readonly { readonly atMs: number; readonly replica: number; readonly killed: boolean }[];
}

const atMs = fc.integer({ min: 0, max: badMs });
const replica = fc.nat(replicas - 1);
const interval = { atMs, forMs: fc.integer({ min: 100, max: 40_000 }) };

const badDay: fc.Arbitrary<BadDay> = fc.record({
  seed: fc.integer(),
  slowMs: fc.constantFrom(100, 3000, 30_000),
  lostShare: fc.constantFrom(0, 0.1, 0.4),
  outages: fc.array(fc.record(interval), { maxLength: 3 }),
  pauses: fc.array(fc.record({ ...interval, replica }), { maxLength: 6 }),
  ends: fc.array(fc.record({ atMs, replica, killed: fc.boolean() }), { maxLength: 4 }),
});

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Where the processes live. */
interface World {
  readonly clock: TurnedClock;
  readonly server: LeaseServer;
  readonly day: BadDay;
  readonly random: () => number;
  readonly startMs: number;
}

/** A process that takes part in elections until it ends. */
class Process {
  readonly elector;
  isAlive = true;
  readonly #world: World;
  readonly #stop = new AbortController();
  #pausedUntilMs = 0;

  constructor(world: World, identity: string, onEnd: () => void) {
    this.#world = world;
    const { random } = world;
    const skewMs = (random() - 0.5) * 3600_000;
    const clock: Clock = {
      now: () => world.clock.now() + skewMs,
      monotonic: () => world.clock.monotonic(),
      setTimer: (delayMs, fire) => world.clock.setTimer(delayMs, () => this.#hear(fire)),
    };
    const client = clientOf((call) => this.#call(clock, call));
    this.elector = createElector({ ...leaseName, client, identity, clock, random, log: createKeptLog() });
    void this.elector.run({ onStartedLeading: () => {}, signal: this.#stop.signal }).then(() => {
      this.isAlive = false;
      onEnd();
    });
  }

  /** What it would say if it were asked now, even if it is stopped: it may go on at any moment. */
  get leads(): boolean {
    return this.isAlive && this.elector.isLeader();
  }

  pause(forMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#world.clock.monotonic() + forMs);
  }

  end(killed: boolean): void {
    if (killed) this.isAlive = false;
    this.#hear(() => this.#stop.abort());
  }

  /** Timers and answers reach a stopped process when it goes on. */
  #hear(it: () => void): void {
    const waitMs = this.#pausedUntilMs - this.#world.clock.monotonic();
    if (waitMs > 0) this.#world.clock.setTimer(waitMs, () => this.#hear(it));
    else if (this.isAlive) it();
  }

  #call(own: Clock, call: KubeCall): Promise<unknown> {
    const { clock, server } = this.#world;
    const body: unknown = structuredClone(call.body);
    return new Promise((resolve, reject) => {
      const timeout = own.setTimer(call.timeoutMs ?? 30_000, () => reject(failure(0)));
      const answer = (settle: () => void): void => {
        if (this.#isLost()) return;
        clock.setTimer(this.#latencyMs(), () => this.#hear(() => (timeout.cancel(), settle())));
      };
      // What was given up on is still on its way, and may arrive long after.
      clock.setTimer(this.#latencyMs(), () => {
        if (this.#isLost()) return;
        try {
          const lease = server.handle({ ...call, body });
          answer(() => resolve(lease));
        } catch (error) {
          answer(() => reject(error as Error));
        }
      });
    });
  }

  #isLost(): boolean {
    const { day, clock, startMs, random } = this.#world;
    const nowMs = clock.monotonic() - startMs;
    if (nowMs > badMs) return false;
    return day.outages.some((it) => nowMs >= it.atMs && nowMs < it.atMs + it.forMs) || random() < day.lostShare;
  }

  #latencyMs(): number {
    const { day, clock, startMs, random } = this.#world;
    const isSlow = clock.monotonic() - startMs < badMs && random() < 0.2;
    return random() * (isSlow ? day.slowMs : 50);
  }
}

/** Lives through a day. Returns who led, in turn. */
async function live(day: BadDay): Promise<string[]> {
  const clock = new TurnedClock();
  const world = {
    clock,
    server: new LeaseServer(),
    day,
    random: createRandom(day.seed),
    startMs: clock.monotonic(),
  };
  const processes: Process[] = [];
  const boot = (index: number, life: number): void => {
    const restart = (): void => void clock.setTimer(1000, () => boot(index, life + 1));
    const process = new Process(world, `${index}-${life}`, restart);
    processes[index] = process;
    for (const end of day.ends) {
      const inMs = world.startMs + end.atMs - clock.monotonic();
      if (end.replica !== index || inMs < 0) continue;
      clock.setTimer(inMs, () => {
        if (processes[index] !== process || !process.isAlive) return;
        process.end(end.killed);
        if (end.killed) restart();
      });
    }
  };
  for (let index = 0; index < replicas; index += 1) boot(index, 0);
  for (const { replica: index, atMs: inMs, forMs } of day.pauses) {
    clock.setTimer(inMs, () => processes[index]?.pause(forMs));
  }

  const leaders: string[] = [];
  const check = (): void => {
    const leading = processes.filter(({ leads }) => leads);
    expect(leading.length).toBeLessThan(2);
    const holder = leading[0]?.elector.holder();
    if (holder !== undefined && holder !== leaders.at(-1)) leaders.push(holder);
  };
  await clock.run(badMs, check);
  // Whoever was stopped last goes on at the latest when the calm is half over.
  await clock.run(calmMs + 40_000, check);
  expect(processes.filter(({ leads }) => leads)).toHaveLength(1);
  return leaders;
}

test('there are never two leaders, and there is one when things are well again', async () => {
  const terms: number[] = [];
  await fc.assert(
    fc.asyncProperty(badDay, async (day) => {
      terms.push((await live(day)).length);
    }),
    { numRuns: 150 },
  );
  // Days on which nothing happens would prove little.
  expect(terms.filter((count) => count > 2).length).toBeGreaterThan(terms.length / 4);
});
