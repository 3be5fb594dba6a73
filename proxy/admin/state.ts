// What on-call asks first: which backend, why, since when, until when. Put together from the configuration and the
// disable book; pure.

import type { GatewayConfig } from '../config/schema.ts';
import type { DisableEntry, DisableReason, StoreHealth, TargetId } from '../state/store.ts';

/** Whether a target may be chosen. `trial`: its disable has ended, and its first request is still under way. */
export interface TargetState {
  readonly state: 'enabled' | 'disabled' | 'trial';
  /** The rest only while disabled. Hard: never overridden when nothing else is left. */
  readonly hard?: boolean;
  /** `Configured`: the object itself says that it is disabled. */
  readonly reason?: DisableReason | 'Configured';
  readonly sinceMs?: number;
  /** Undefined while disabled = until a person enables it. */
  readonly untilMs?: number;
  /** The proxy that saw the failure. */
  readonly by?: string;
}

/** A target that is disabled for one model. */
export interface ModelState extends TargetState {
  readonly model: string;
}

/** What this proxy knows of a backend's present. */
export interface LoadState {
  /** Requests that this proxy has sent it and that have not ended. */
  readonly inFlight: number;
  /** Those of them that wait for their first content. */
  readonly waiting: number;
  /** How well it has been of late: 1 is well, 0 is not; 1 where nothing is known. */
  readonly health: number;
  /** Failed attempts among about the last ten. */
  readonly failingPercent: number;
  /** Usual time to first content of streams, and to the end of other answers; undefined: never measured. */
  readonly firstContentMs: number | undefined;
  readonly responseMs: number | undefined;
}

/** One backend. */
export interface BackendState extends TargetState, LoadState {
  /** `namespace/route/name`. */
  readonly id: string;
  readonly route: string;
  readonly name: string;
  readonly provider: string;
  readonly model: string | undefined;
  /** Requests that this proxy may send it at once, because it refused lately. */
  readonly concurrencyLimit?: number;
  /** Models for which it is disabled though it is not as a whole. */
  readonly models: readonly ModelState[];
}

/** One upstream key; never its secret. */
export interface KeyState extends TargetState {
  readonly id: string;
  readonly provider: string;
  readonly models: readonly ModelState[];
}

/** The state of everything that can be chosen. */
export interface AdminState {
  readonly backends: readonly BackendState[];
  readonly keys: readonly KeyState[];
  readonly store: StoreHealth;
  /** Requests of clients that have not ended. */
  readonly inFlight: number;
  readonly overload: Overload;
}

/** What this proxy refuses because it is at its own limit. */
export interface Overload {
  /** Share of new requests that is shed now. */
  readonly shedShare: number;
  /** Requests shed since the start, by what there was too little of. */
  readonly shed: Readonly<Record<string, number>>;
}

/** What the state is put together from. */
export interface StateFacts {
  /** Undefined until one is in force. */
  readonly config: GatewayConfig | undefined;
  readonly disables: readonly DisableEntry[];
  readonly store: StoreHealth;
  readonly inFlight: number;
  /** By the id of a backend. */
  readonly loadOf: (backendId: string) => LoadState;
  /** Requests that a backend may be sent at once; undefined = any number. */
  readonly limitOf: (backendId: string) => number | undefined;
  readonly overload: Overload;
  readonly onTrial: (target: TargetId) => boolean;
  readonly nowMs: number;
}

/** Describes every configured backend and upstream key. */
export function describeState({
  config,
  disables,
  store,
  inFlight,
  loadOf,
  limitOf,
  overload,
  onTrial,
  nowMs,
}: StateFacts): AdminState {
  const { whole, byModel } = sortEntries(disables, nowMs);
  const probed = new Set(config?.providers.filter(({ probe }) => probe !== undefined).map(({ id }) => id));
  const stateOf = (target: TargetId, provider?: string): TargetState & { readonly models: readonly ModelState[] } => {
    const own = whole.get(target);
    const byProbe = provider !== undefined && probed.has(provider) ? whole.get(`provider:${provider}`) : undefined;
    const entry = own !== undefined && byProbe !== undefined ? stronger(own, byProbe) : (own ?? byProbe);
    const models = [...(byModel.get(target) ?? [])].map(([model, found]) => ({ model, ...disabledBy(found) }));
    if (entry !== undefined) return { ...disabledBy(entry), models };
    return { state: onTrial(target) ? 'trial' : 'enabled', models };
  };
  return {
    backends: backendsOf(config).map((backend) => ({
      ...backend,
      ...loadOf(backend.id),
      ...limitFact(limitOf(backend.id)),
      ...stateOf(`backend:${backend.id}`, backend.provider),
    })),
    keys: (config?.upstreamKeys ?? []).map(({ id, provider, state }) => {
      const found = stateOf(`key:${id}`);
      if (state === 'Disabled')
        return { id, provider, state: 'disabled', hard: true, reason: 'Configured', models: [] };
      return { id, provider, ...found };
    }),
    store,
    inFlight,
    overload,
  };
}

function limitFact(limit: number | undefined): Pick<BackendState, 'concurrencyLimit'> {
  return limit === undefined ? {} : { concurrencyLimit: limit };
}

/** As much of a state as is not simply enabled, as a whole or for a model: what the operator polls. */
export function leaveOutEnabled({ backends, keys, ...rest }: AdminState): AdminState {
  const isNews = ({ state, models }: BackendState | KeyState): boolean => state !== 'enabled' || models.length > 0;
  return { ...rest, backends: backends.filter(isNews), keys: keys.filter(isNews) };
}

type NamedBackend = Pick<BackendState, 'id' | 'route' | 'name' | 'provider' | 'model'>;

/** Every backend of every route once: the same name in two rules is the same backend. */
function backendsOf(config: GatewayConfig | undefined): readonly NamedBackend[] {
  const backends = new Map<string, NamedBackend>();
  for (const { id: route, rules } of config?.routes ?? []) {
    for (const { name, provider, model } of rules.flatMap((rule) => rule.backends)) {
      const id = `${route}/${name}`;
      // Without a provider it is another route, whose own backends are listed there.
      if (provider !== undefined) backends.set(id, { id, route, name, provider, model });
    }
  }
  return [...backends.values()];
}

/** What is in force, by target: as a whole, and by model. */
interface SortedEntries {
  readonly whole: Map<TargetId, DisableEntry>;
  readonly byModel: Map<TargetId, Map<string, DisableEntry>>;
}

function sortEntries(disables: readonly DisableEntry[], nowMs: number): SortedEntries {
  const whole = new Map<TargetId, DisableEntry>();
  const byModel = new Map<TargetId, Map<string, DisableEntry>>();
  for (const entry of disables) {
    if (entry.untilMs <= nowMs) continue;
    const hash = entry.target.indexOf('#');
    if (hash === -1) {
      whole.set(entry.target, stronger(whole.get(entry.target), entry));
      continue;
    }
    const target = entry.target.slice(0, hash);
    const model = entry.target.slice(hash + 1);
    const models = byModel.get(target) ?? new Map<string, DisableEntry>();
    byModel.set(target, models.set(model, stronger(models.get(model), entry)));
  }
  return { whole, byModel };
}

/** Hard before soft, then the one that ends last. */
function stronger(one: DisableEntry | undefined, other: DisableEntry): DisableEntry {
  if (one === undefined) return other;
  if (one.hard !== other.hard) return one.hard ? one : other;
  return one.untilMs >= other.untilMs ? one : other;
}

function disabledBy({ hard, reason, sinceMs, untilMs, by }: DisableEntry): TargetState {
  const facts = { state: 'disabled', hard, reason, sinceMs, by } as const;
  // What only a person ends has an end that no calendar knows.
  return untilMs >= Number.MAX_SAFE_INTEGER ? facts : { ...facts, untilMs };
}
