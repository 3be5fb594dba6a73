// Gauges that are read when Prometheus asks: what is disabled, which configuration is served, how the shared state is.

import type { StoreHealth } from '../state/store.ts';
import { createGauge, type Family, type Sample } from './series.ts';

/** Whether a target may be chosen: `trial` = its disable has ended, its first request is under way. */
export type TargetState = 'enabled' | 'disabled' | 'trial';

/** A target's state, and those of its models where they differ. */
interface TargetFacts {
  readonly state: TargetState;
  /** Set while disabled: a hard disable is never overridden. */
  readonly hard?: boolean | undefined;
  readonly models?: readonly { readonly state: TargetState; readonly hard?: boolean | undefined }[] | undefined;
}

/** State of every configured backend and upstream key. */
export interface TargetsFacts {
  readonly backends: readonly (TargetFacts & {
    readonly route: string;
    readonly name: string;
    readonly inFlight: number;
    /** How well it has been of late, 0 to 1; missing = 1. */
    readonly health?: number;
    /** Failed attempts of late, and the usual time to first content of streams; undefined: nothing is known. */
    readonly failingPercent?: number | undefined;
    readonly firstContentMs?: number | undefined;
    /** Missing where there is no limit. */
    readonly concurrencyLimit?: number;
  })[];
  readonly keys: readonly (TargetFacts & { readonly id: string })[];
}

/** The configuration in force, if any, and the last one that was refused. */
export interface ConfigFacts {
  readonly revision?: number | undefined;
  readonly digest?: string | undefined;
  readonly className?: string | undefined;
  readonly servedSinceMs?: number | undefined;
  readonly lastRefusal?: { readonly atMs: number } | undefined;
}

/** What the proxy refuses because it is at its own limit. */
export interface OverloadFacts {
  readonly shedShare: number;
  readonly shed: Readonly<Record<string, number>>;
}

/** Where the facts come from. */
export interface FactSources {
  readonly targets: () => TargetsFacts;
  readonly config: () => ConfigFacts;
  readonly store: () => StoreHealth;
  readonly overload: () => OverloadFacts;
}

/** Gauges over facts. */
export interface FactGauges {
  readonly families: readonly Family[];
  /** Forgets what was read: once before each scrape, so that all gauges of one scrape tell of the same moment. */
  refresh(): void;
}

/** Makes the gauges over the facts. */
export function createFactGauges(sources: FactSources): FactGauges {
  let targets: TargetsFacts | undefined;
  const sameTargets = (): TargetsFacts => (targets ??= sources.targets());
  return {
    families: [
      ...targetGauges(sameTargets),
      ...configGauges(sources),
      ...storeGauges(sources),
      ...overloadGauges(sources),
    ],
    refresh() {
      targets = undefined;
    },
  };
}

function targetGauges(targets: () => TargetsFacts): readonly Family[] {
  return [
    createGauge({
      name: 'sluice_backend_state',
      help: 'Always 1; the label says whether the backend is enabled, disabled or on trial.',
      labelNames: ['route', 'backend', 'state'],
      read: () => targets().backends.map(({ route, name, state }): Sample => [1, route, name, state]),
    }),
    createGauge({
      name: 'sluice_backend_requests_in_flight',
      help: 'Requests that the backend is working on, sent by this proxy.',
      labelNames: ['route', 'backend'],
      read: () => targets().backends.map(({ route, name, inFlight }): Sample => [inFlight, route, name]),
    }),
    createGauge({
      name: 'sluice_backend_concurrency_limit',
      help: 'Requests that the backend may be sent at once, because it refused lately; missing where there is no limit.',
      labelNames: ['route', 'backend'],
      read: () =>
        targets().backends.flatMap(({ route, name, concurrencyLimit: limit }): Sample[] =>
          limit === undefined ? [] : [[limit, route, name]],
        ),
    }),
    createGauge({
      name: 'sluice_backend_health_score',
      help: 'How well the backend has been of late, by this proxy: 1 is well, 0 is not; by outcomes and its usual pace.',
      labelNames: ['route', 'backend'],
      read: () => targets().backends.map(({ route, name, health = 1 }): Sample => [health, route, name]),
    }),
    createGauge({
      name: 'sluice_backend_failing_ratio',
      help: 'Share of failed attempts among about the last ten of the backend, by this proxy.',
      labelNames: ['route', 'backend'],
      read: () =>
        targets().backends.map(({ route, name, failingPercent = 0 }): Sample => [failingPercent / 100, route, name]),
    }),
    createGauge({
      name: 'sluice_backend_usual_first_content_seconds',
      help: 'Usual time to first content of streams, by which strategies choose; fades while nothing is measured.',
      labelNames: ['route', 'backend'],
      read: () => targets().backends.flatMap(toUsualSamples),
    }),
    createGauge({
      name: 'sluice_upstream_key_state',
      help: 'Always 1; the label says whether the upstream key is enabled, disabled or on trial.',
      labelNames: ['key', 'state'],
      read: () => targets().keys.map(({ id, state }): Sample => [1, id, state]),
    }),
    createGauge({
      name: 'sluice_disabled_targets',
      help: 'Targets that are disabled now: backends and keys, whole or for one model, soft or hard.',
      labelNames: ['kind', 'hard'],
      read: () => countDisabled(targets()),
    }),
  ];
}

/** Missing where nothing was ever measured. */
function toUsualSamples({ route, name, firstContentMs }: TargetsFacts['backends'][number]): readonly Sample[] {
  return firstContentMs === undefined ? [] : [[firstContentMs / 1000, route, name]];
}

/** Zeros included, so that an alert sees a target come back. */
function countDisabled({ backends, keys }: TargetsFacts): Iterable<Sample> {
  const counts = new Map<string, { readonly labels: readonly [string, string]; value: number }>();
  for (const kind of ['backend', 'backend-model', 'key', 'key-model']) {
    for (const hard of ['false', 'true']) counts.set(`${kind} ${hard}`, { labels: [kind, hard], value: 0 });
  }
  const count = (kind: string, { state, hard }: TargetFacts): void => {
    const entry = state === 'disabled' ? counts.get(`${kind} ${hard === true}`) : undefined;
    if (entry !== undefined) entry.value += 1;
  };
  for (const [kind, targets] of [
    ['backend', backends],
    ['key', keys],
  ] as const) {
    for (const target of targets) {
      count(kind, target);
      for (const model of target.models ?? []) count(`${kind}-model`, model);
    }
  }
  return [...counts.values()].map(({ labels, value }): Sample => [value, ...labels]);
}

function configGauges({ config }: FactSources): readonly Family[] {
  const known = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : [[value]]);
  return [
    createGauge({
      name: 'sluice_config_revision',
      help: 'Revision of the configuration in force.',
      labelNames: [],
      read: () => known(config().revision),
    }),
    createGauge({
      name: 'sluice_config_info',
      help: 'Always 1; the labels name the configuration in force.',
      labelNames: ['class', 'digest'],
      read: () => {
        const { digest, className = '' } = config();
        return digest === undefined ? [] : [[1, className, digest]];
      },
    }),
    createGauge({
      name: 'sluice_config_applied_timestamp_seconds',
      help: 'When the configuration in force was applied; its age is time() minus this.',
      labelNames: [],
      read: () => known(toSeconds(config().servedSinceMs)),
    }),
    createGauge({
      name: 'sluice_config_last_refusal_timestamp_seconds',
      help: 'When a configuration was last refused; missing if none was.',
      labelNames: [],
      read: () => known(toSeconds(config().lastRefusal?.atMs)),
    }),
  ];
}

function storeGauges({ store }: FactSources): readonly Family[] {
  return [
    createGauge({
      name: 'sluice_store_up',
      help: 'Whether the shared state can be relied on (1) or this proxy works alone (0).',
      labelNames: ['kind'],
      read: () => {
        const { kind, state } = store();
        return [[state === 'ok' ? 1 : 0, kind]];
      },
    }),
    createGauge({
      name: 'sluice_store_state_since_timestamp_seconds',
      help: 'When sluice_store_up last changed.',
      labelNames: [],
      read: () => [[store().sinceMs / 1000]],
    }),
    createGauge({
      name: 'sluice_proxies',
      help: 'Proxies that share their state, this one included; the last known number while the store is down.',
      labelNames: [],
      read: () => [[store().proxies]],
    }),
  ];
}

function overloadGauges({ overload }: FactSources): readonly Family[] {
  return [
    createGauge({
      name: 'sluice_shed_requests_total',
      help: 'Requests refused because the proxy was at its limit, by what there was too little of.',
      labelNames: ['reason'],
      type: 'counter',
      read: () => Object.entries(overload().shed).map(([reason, count]): Sample => [count, reason]),
    }),
    createGauge({
      name: 'sluice_shed_share',
      help: 'Share of new requests that is refused now for want of time or memory.',
      labelNames: [],
      read: () => [[overload().shedShare]],
    }),
  ];
}

function toSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
