// What decides about requests, between the sockets of clients and those of upstreams: pipeline, judge, balancer and what
// they remember. Put together here once, for gateways and for simulations of many of them: time, chance and everything
// that leaves the process are arguments.

import { combineObservers } from './accounting/account.ts';
import type { Observer } from './accounting/trail.ts';
import { Balancer } from './balancing/balancer.ts';
import type { ConcurrencyLimits } from './balancing/concurrency.ts';
import { LoadBook } from './balancing/load-book.ts';
import { createPlugins, type Plugins } from './balancing/plugins.ts';
import type { Clock } from './canonical/clock.ts';
import type { Snapshot } from './config/snapshot.ts';
import type { SnapshotStore } from './config/store.ts';
import type { Handler } from './ingress/exchange.ts';
import { createLeasedTrials, type TrialStore } from './leased-trials.ts';
import { createPipeline } from './pipeline.ts';
import { type CloudIdentity, noIdentity } from './providers/cloud-identity.ts';
import { createClassifier } from './routing/classify.ts';
import { createFailureCounter } from './routing/failure-counter.ts';
import { createJudge } from './routing/judge.ts';
import { createKeyHistories } from './routing/key-history.ts';
import { createPoisonBook } from './routing/poison.ts';
import { createRetryBudget } from './routing/retry-budget.ts';
import type { Leases } from './state/lease.ts';
import type { DisableBook } from './state/store.ts';
import { createSteps } from './steps/pipeline-steps.ts';
import type { TokenExchange } from './steps/token-exchange.ts';
import { Slots } from './steps/slots.ts';
import { createSourceResolver } from './steps/sources.ts';
import { createWait } from './system-clock.ts';
import type { FetchSource } from './upstream/source-fetcher.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** What a router is made of. */
export interface RouterSettings {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly snapshots: Pick<SnapshotStore, 'current'>;
  readonly disables: DisableBook;
  readonly state: TrialStore & Pick<Leases, 'leaseFirst'>;
  /** Left out, backends that refuse are sent as much as others. */
  readonly limits?: ConcurrencyLimits;
  readonly upstreams: Upstreams;
  /** Gets what is at addresses that clients name. */
  readonly fetchSource: FetchSource;
  /** Access tokens for the key files of clouds. */
  readonly tokens: TokenExchange;
  /** Who the proxy itself is in its cloud; nobody if undefined. */
  readonly identity?: CloudIdentity;
  readonly observer: Required<Observer>;
  /** What strategies know of backends, for whoever wants to read it too. */
  readonly loads?: LoadBook;
  /** Orders candidates where a rule says so; left out, chance does. */
  readonly plugins?: Plugins;
  /** Hears of each dropped frame, with the id of the backend that sent it. */
  readonly onMalformed: (backend: string) => void;
  /** Hears of faults of our own: throws that are no ClientError. */
  readonly unexpected: (error: unknown, requestId: string) => void;
}

/** Takes requests that have been read. */
export interface Router {
  readonly handler: Handler;
  /** A configuration has come into force: keys whose secret has changed are new keys, to everybody. */
  adopt(next: Snapshot, previous: Snapshot | undefined): void;
}

/** Makes a router; it remembers nothing yet. */
export function createRouter(settings: RouterSettings): Router {
  const { clock, random, snapshots, disables, observer, unexpected, tokens, loads = new LoadBook() } = settings;
  const plugins = settings.plugins ?? createPlugins({ folder: undefined, clock, asked: () => undefined });
  const wait = createWait(clock);
  const slots = new Slots({ clock, random, leases: settings.state, wait });
  const keys = createKeyHistories({ clock });
  const judge = createJudge({
    clock,
    random,
    classify: createClassifier({ clock }),
    disables,
    counter: createFailureCounter({ clock }),
    poison: createPoisonBook({ clock }),
    budget: createRetryBudget({ clock }),
    keys,
  });
  const steps = createSteps({
    ...settings,
    identity: settings.identity ?? noIdentity,
    store: snapshots,
    observer: combineObservers([loads.observer, slots.observer, observer], (error) => unexpected(error, 'none')),
    balancer: new Balancer({ random, loads }),
    judge,
    trials: createLeasedTrials(clock, settings.state),
    slots,
    loads,
    plugins,
    wait,
    resolveSources: createSourceResolver(settings.fetchSource, clock),
  });
  return {
    handler: createPipeline(steps),
    adopt(next, previous) {
      const before = secretsByTarget(previous);
      const now = secretsByTarget(next);
      keys.retain(now);
      retainLoads(loads, next);
      tokens.retain(new Set(now.values()));
      plugins.prepare(pluginsOf(next));
      for (const [target, secret] of now) {
        if (before.has(target) && before.get(target) !== secret) disables.clear(target);
      }
    },
  };
}

function retainLoads(loads: LoadBook, { backends, config }: Snapshot): void {
  const known = new Set(config.upstreamKeys.map(({ id }) => id));
  loads.retain((id) => backends.has(id) || known.has(id));
}

function pluginsOf({ config }: Snapshot): readonly string[] {
  const rules = config.routes.flatMap((route) => route.rules);
  return [...new Set(rules.map(({ plugin }) => plugin?.module).filter((module) => module !== undefined))];
}

/** Upstream keys with their secrets. */
export function secretsByTarget(snapshot: Snapshot | undefined): Map<string, string> {
  const keys = [...(snapshot?.providers.values() ?? [])].flatMap((provider) => provider.keys);
  return new Map(keys.map((key) => [key.target, key.secret]));
}
