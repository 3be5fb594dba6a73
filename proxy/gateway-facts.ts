// What a gateway tells of itself: to the admin port, to metrics. Reads everything, changes nothing.

import type { Observer } from './accounting/trail.ts';
import type { ConcurrencyLimits } from './balancing/concurrency.ts';
import { createBackendSwitch } from './admin/backend-switch.ts';
import type { AdminSources, Readiness } from './admin/sources.ts';
import { type AdminState, describeState, type LoadState } from './admin/state.ts';
import type { Load, LoadBook } from './balancing/load-book.ts';
import type { Clock } from './canonical/clock.ts';
import type { SnapshotStore } from './config/store.ts';
import type { HealthBook } from './health/health-score.ts';
import type { OverloadGuard } from './ingress/overload.ts';
import type { DisableBook, StateStore } from './state/store.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** Requests of clients under way. */
export class InFlight {
  #requests = 0;

  get requests(): number {
    return this.#requests;
  }

  readonly observer: Observer = {
    requestStarted: () => {
      this.#requests += 1;
    },
    requestEnded: () => {
      this.#requests -= 1;
    },
  };
}

/** Where the facts come from. */
export interface FactsSettings {
  readonly clock: Clock;
  readonly snapshots: SnapshotStore;
  readonly disables: DisableBook;
  readonly state: StateStore;
  readonly inFlight: InFlight;
  readonly loads: LoadBook;
  readonly limits: ConcurrencyLimits;
  readonly guard: OverloadGuard;
  readonly health: HealthBook;
}

/** State of everything that can be chosen, as of now. */
export function describeGateway(settings: FactsSettings): AdminState {
  const { clock, snapshots, disables, state, inFlight, loads, limits, guard, health } = settings;
  return describeState({
    config: snapshots.current?.config,
    disables: disables.list(),
    store: state.health(),
    inFlight: inFlight.requests,
    loadOf: (backendId) => describeLoad(loads.of(backendId), health.scoreOf(backendId, clock.now()), clock.now()),
    limitOf: (backendId) => limits.limitOf(backendId),
    overload: guard.report(),
    onTrial: (target) => disables.isTrial(target, clock.now()),
    nowMs: clock.now(),
  });
}

function describeLoad(load: Load, health: number, nowMs: number): LoadState {
  const usual = (stream: boolean): number | undefined => {
    const usualMs = load.latency(stream).usualMs(nowMs);
    return usualMs === undefined ? undefined : Math.round(usualMs);
  };
  return {
    inFlight: load.inFlight,
    waiting: load.waiting,
    health: Math.round(health * 1000) / 1000,
    failingPercent: Math.round(load.failing * 100),
    firstContentMs: usual(true),
    responseMs: usual(false),
  };
}

/** Which configuration is in force, and which was refused last. */
export function describeConfig(snapshots: SnapshotStore): ReturnType<AdminSources['config']> {
  const { current, servedSinceMs, lastRefusal } = snapshots;
  if (current === undefined) return { lastRefusal };
  const { revision, digest, className } = current;
  return { revision, digest, className, servedSinceMs, lastRefusal };
}

/** Everything that the admin port stands on. */
export function createAdminSources(settings: FactsSettings, metrics: Metrics, isDraining: () => boolean): AdminSources {
  const { snapshots, disables, clock } = settings;
  return {
    readiness(): Readiness {
      if (isDraining()) return { ready: false, reason: 'draining' };
      if (snapshots.current === undefined) return { ready: false, reason: 'no configuration yet' };
      return { ready: true };
    },
    config: () => describeConfig(snapshots),
    state: () => describeGateway(settings),
    metrics: () => metrics.render(),
    ...createBackendSwitch(disables, clock),
  };
}
