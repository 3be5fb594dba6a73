// One configuration in the form that requests are served from: everything resolved, nothing left to look up by name.
// Types only; snapshot-compile.ts makes it. Runtime state (disables, counts) is keyed by the ids here and lives outside.

import type { Lanes } from '../protocols/lane.ts';
import type { Edits, ProtocolId } from '../protocols/protocol.ts';
import type { ProviderKind } from '../providers/provider-kind.ts';
import type { IncomingHeaderMap } from './headers.ts';
import type {
  FailoverConfig,
  GatewayConfig,
  ModelConfig,
  ProviderConfig,
  RouteConfig,
  RouteProtocol,
  RuleConfig,
  Strategy,
  UpstreamKeyConfig,
} from './schema.ts';

/** Who a client key proves to be. */
export interface Principal {
  /** `namespace/name` of the LLMKey. */
  readonly id: string;
  readonly namespace: string;
  readonly tenant: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether the key may ask for this public model name. */
  readonly mayUse: (model: string) => boolean;
  /** Whether the key grants every model, also those that a request does not name. */
  readonly mayUseAll: boolean;
  /** Unix milliseconds; undefined = never. */
  readonly expiresAtMs: number | undefined;
}

/** An upstream key with its secret, ready to be used. */
export interface UpstreamKey {
  /** `namespace/name` of the LLMKey. */
  readonly id: string;
  /** `key:namespace/name`, as the disable book knows it. */
  readonly target: string;
  readonly weight: number;
  readonly priority: number;
  /** The credential. Never logged, never shared. */
  readonly secret: string;
  readonly expiresAtMs: number | undefined;
  readonly serves: (model: string | undefined) => boolean;
  readonly config: UpstreamKeyConfig;
}

/** Deadlines in milliseconds. */
export interface Timeouts {
  readonly connectMs: number;
  readonly firstContentMs: number;
  readonly responseMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** A configured place to send requests. */
export interface Provider {
  /** `namespace/name` of the LLMProvider. */
  readonly id: string;
  readonly config: ProviderConfig;
  readonly kind: ProviderKind;
  /** Scheme, host and port of the base URL. */
  readonly origin: string;
  /** Path of the base URL, without a trailing slash. */
  readonly basePath: string;
  readonly keys: readonly UpstreamKey[];
  /** How one of the proxies asks whether it works; undefined: only requests tell. */
  readonly probe: ProbeConfig | undefined;
}

/** A request made again and again by one of the proxies. */
export interface ProbeConfig {
  /** `provider:namespace/name`, as the disable book knows it: disabled by probes, and by nothing else. */
  readonly target: string;
  /** Appended to the path of the base URL. */
  readonly path: string;
  readonly periodMs: number;
  readonly timeoutMs: number;
  /** A later answer is as bad as none. */
  readonly unhealthyAfterMs: number | undefined;
}

/** The unit that is balanced and disabled: one entry of a rule. */
export interface Backend {
  readonly kind: 'backend';
  /** `namespace/route/name`. */
  readonly id: string;
  readonly name: string;
  /** `namespace/name` of the LLMRoute it belongs to. */
  readonly route: string;
  /** `backend:…`, as the disable book knows it. */
  readonly target: string;
  readonly provider: Provider;
  /** The model as the route names it; undefined = the client's own. */
  readonly model: string | undefined;
  /** What is sent upstream instead of the client's model; undefined = the client's own. */
  readonly upstreamModel: string | undefined;
  readonly modelConfig: ModelConfig | undefined;
  readonly weight: number;
  readonly priority: number;
  readonly timeouts: Timeouts;
  /** What is changed in every request body: the model, and the route's parameters. */
  readonly edits: Edits;
  /** The parameters alone, for bodies of ours, which have their model; undefined where there are none. */
  readonly parameterEdits: Edits | undefined;
  /** How operations of clients are served. */
  readonly lanes: Lanes;
}

/** Another route in the place of a backend. */
export interface RouteReference {
  readonly kind: 'route';
  readonly name: string;
  readonly weight: number;
  readonly priority: number;
  /** Filled in after all routes are compiled. */
  readonly route: Route;
}

/** What a tier is made of. */
export type Candidate = Backend | RouteReference;

/** What a rule's matches may look at. */
export interface MatchContext {
  readonly headers: IncomingHeaderMap;
  readonly path: string;
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly principal: Principal | undefined;
}

/** One rule of a route. */
export interface Rule {
  /** `namespace/route/rule`: names the state of its pickers. */
  readonly id: string;
  readonly name: string;
  readonly matches: (context: MatchContext) => boolean;
  readonly strategy: Strategy;
  /** Of the strategy Affinity. */
  readonly affinity: RuleConfig['affinity'];
  /** The module that orders candidates; undefined unless the strategy is Plugin. */
  readonly plugin: { readonly module: string; readonly timeoutMs: number } | undefined;
  /** Longest wait for a backend to be free, milliseconds; undefined unless the strategy is FirstAvailable. */
  readonly slotWaitMs: number | undefined;
  /** By priority, lowest first; without those that `require` excludes. */
  readonly tiers: readonly Tier[];
  /** Why the rule's `require` excludes a backend, also one of a referenced route; undefined where it requires nothing. */
  readonly excludes: ((backend: Backend) => string | undefined) | undefined;
  /** The longest usual time to first content that `require` allows, milliseconds; undefined where it does not say. */
  readonly firstContentMsMax: number | undefined;
  /** What `prefer` wishes for; undefined where it wishes for nothing. */
  readonly preference: Preference | undefined;
  /** Candidates that `require` excludes, with the reason, for `sluice check --explain`. */
  readonly excluded: readonly { readonly candidate: Candidate; readonly reason: string }[];
  readonly failover: FailoverConfig;
  readonly timeouts: RuleConfig['timeouts'];
  readonly fallback: RouteReference | undefined;
  /** Routes for single classes of failures; undefined where the rule names none. */
  readonly fallbacks: ReadonlyMap<string, RouteReference> | undefined;
  /** Whether anything is said of the models of any backend, also behind references and fallbacks. */
  readonly declaresModels: () => boolean;
  /** Whether any of them serves one request at a time. */
  readonly usesSlots: () => boolean;
  /** The deadline over all attempts, in milliseconds. */
  readonly totalMs: number;
  /** The same rule with nothing but the backends that can serve a protocol; itself, if all of them can. */
  readonly serving: (protocol: ProtocolId) => Rule;
}

/** What a rule prefers. */
export interface Preference {
  /**
   * The lower, the sooner a backend is asked: a bit for each wish that it does not fulfil, the first wish's the highest.
   * `usualMs` is its usual time to first content, undefined where nobody knows.
   */
  readonly rankOf: (backend: Backend, usualMs: number | undefined) => number;
}

/** Candidates of one priority. */
export interface Tier {
  /** Names the state of the tier's picker. */
  readonly id: string;
  readonly priority: number;
  readonly candidates: readonly Candidate[];
  /** Whether some candidates have a weight of 0, and others not: those are asked only when no other can be. */
  readonly hasSpares: boolean;
}

/** What clients ask for. */
export interface Route {
  /** `namespace/name` of the LLMRoute. */
  readonly id: string;
  readonly namespace: string;
  readonly config: RouteConfig;
  readonly protocol: RouteProtocol;
  readonly rules: readonly Rule[];
  /** Whether a principal may enter; Anonymous routes let everyone in. */
  readonly admits: (principal: Principal | undefined) => boolean;
  readonly anonymous: boolean;
  /** What `/path/name/` pins: of each name, what the first rule that has it makes of it. */
  readonly pins: ReadonlyMap<string, Pin | LeftOutPin>;
}

/** One candidate that a client insists on, and the rule whose settings apply. */
export interface Pin {
  readonly kind: 'candidate';
  readonly name: string;
  readonly rule: Rule;
  readonly candidate: Candidate;
  /** A pin skips `matches`, never `require`. */
  readonly excluded: boolean;
}

/** A name that the route has and does not serve: nothing may answer in its place. */
export interface LeftOutPin {
  readonly kind: 'left-out';
  readonly name: string;
  readonly rule: Rule;
}

/** One configuration, immutable. A request uses one from beginning to end. */
export interface Snapshot {
  readonly revision: number;
  readonly digest: string;
  readonly className: string;
  /** What it was compiled from. Holds no secret. */
  readonly config: GatewayConfig;
  readonly routes: ReadonlyMap<string, Route>;
  /** Route of the longest path prefix, and what follows it; undefined if no route has the path. */
  readonly byPath: (path: string) => { readonly route: Route; readonly rest: string } | undefined;
  /** Route of a public model name: exact, else the longest prefix. */
  readonly byModel: (model: string) => Route | undefined;
  /** Public model names with their routes, for listings; prefixes are not listed. */
  readonly models: ReadonlyMap<string, Route>;
  /** The principal of a client key, by the key itself. */
  readonly principal: (key: string) => Principal | undefined;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly backends: ReadonlyMap<string, Backend>;
}
