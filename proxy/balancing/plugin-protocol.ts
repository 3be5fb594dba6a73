// What a plugin is given and gives back, and what its thread and the proxy say to each other. The first two are what
// authors of plugins write against (proxy/README.md, Plugins).

/** One candidate of the rule, as a plugin sees it. */
export interface PluginCandidate {
  /** Name of the backend in its rule, by which the plugin orders it. */
  readonly name: string;
  readonly priority: number;
  readonly weight: number;
  /** Undefined where the candidate is another route. */
  readonly provider?: {
    readonly id: string;
    readonly type: string;
    readonly attributes: Readonly<Record<string, string>>;
  };
  readonly model?: string;
  /** Millionths of a US dollar for a million tokens. */
  readonly price?: { readonly inputPerMillion?: number | undefined; readonly outputPerMillion?: number | undefined };
  /** What this proxy knows of it: as in `/state`. */
  readonly inFlight: number;
  readonly failingPercent: number;
  readonly firstContentMs?: number;
  readonly enabled: boolean;
}

/** The request, as a plugin sees it: neither credentials nor the body. */
export interface PluginRequest {
  readonly id: string;
  readonly route: string;
  readonly rule: string;
  readonly method: string;
  readonly path: string;
  readonly model?: string;
  readonly stream: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly client?: {
    readonly id: string;
    readonly tenant: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** Rough size of the request. */
  readonly inputTokens: number;
  /** The same for all turns of a conversation; undefined where there is none. */
  readonly conversation?: number;
}

/** To the thread. A `ping` asks whether it still turns. */
export type ToPlugin =
  | {
      readonly type: 'order';
      readonly id: number;
      readonly module: string;
      readonly request: PluginRequest;
      readonly candidates: readonly PluginCandidate[];
    }
  /** The module will be asked soon. */
  | { readonly type: 'load'; readonly module: string }
  | { readonly type: 'ping' };

/** From the thread. */
export type FromPlugin =
  | { readonly type: 'ordered'; readonly id: number; readonly names: readonly string[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
  | { readonly type: 'pong' };
