// A candidate for leadership whose requests a test may fail.

import { afterEach, expect } from 'vitest';
import type { KubeCall } from '../../../operator/kube/client.ts';
import {
  createElector,
  type ElectionEnd,
  type Elector,
  type ElectorSettings,
} from '../../../operator/leader/elector.ts';
import { createKeptLog, type LogLine } from '../queue/kept-log.ts';
import { TurnedClock } from '../queue/turned-clock.ts';
import { clientOf, type LeaseServer, leaseName } from './lease-server.ts';

/** A candidate that has begun. */
export interface Candidate extends Omit<Elector, 'run'> {
  /** Where its requests go. */
  through: (call: KubeCall) => Promise<unknown>;
  readonly slowPaths: number;
  /** How often it started to lead. */
  readonly started: number;
  readonly end: ElectionEnd | undefined;
  readonly lines: readonly LogLine[];
  stop(): void;
}

/** Begins to take part. */
export function startCandidate(
  server: LeaseServer,
  { clock, identity, settings }: { clock: TurnedClock; identity: string; settings?: ElectorSettings },
): Candidate {
  const log = createKeptLog();
  const stop = new AbortController();
  const candidate = {
    through: async (call: KubeCall): Promise<unknown> => server.handle(call),
    slowPaths: 0,
    started: 0,
    end: undefined as ElectionEnd | undefined,
    lines: log.lines,
    stop: () => stop.abort(),
    isLeader: () => elector.isLeader(),
    renewedAgoMs: () => elector.renewedAgoMs(),
    holder: () => elector.holder(),
  };
  const elector: Elector = createElector({
    ...leaseName,
    client: clientOf((call) => candidate.through(call)),
    identity,
    clock,
    random: () => 0.5,
    log,
    onSlowPath: () => (candidate.slowPaths += 1),
    ...(settings === undefined ? {} : { settings }),
  });
  const run = elector.run({ onStartedLeading: () => (candidate.started += 1), signal: stop.signal });
  void run.then((end) => (candidate.end = end));
  return candidate;
}

/** What candidates of a suite of tests are started with: their clock, and all of them stop when a test is over. */
export interface Candidates {
  readonly clock: TurnedClock;
  readonly start: (server: LeaseServer, identity: string) => Candidate;
}

/** Has candidates stopped after each test, and sees that none of them leaves a timer behind. */
export function useCandidates(): Candidates {
  const clock = new TurnedClock();
  let candidates: Candidate[] = [];

  afterEach(async () => {
    for (const candidate of candidates) candidate.stop();
    candidates = [];
    await clock.run(60_000);
    expect(clock.pending).toBe(0);
  });

  return {
    clock,
    start(server, identity) {
      const candidate = startCandidate(server, { clock, identity });
      candidates.push(candidate);
      return candidate;
    },
  };
}
