// The contract between the control plane and the proxies: what a proxy accepts as its configuration and credentials.
// It belongs to the proxy, knows no Kubernetes, and is the only proxy file that the operator imports.

import { z } from 'zod';

/** The version of this contract. A proxy refuses any other. */
export const configVersion = 1;

/** Vendors, as `spec.type` of an LLMProvider names them. */
export const providerTypes = [
  'OpenAI',
  'AzureOpenAI',
  'Anthropic',
  'Gemini',
  'VertexAI',
  'Bedrock',
  'Mistral',
  'Cohere',
  'Ollama',
  'VLLM',
  'OpenRouter',
  'Groq',
  'NvidiaNIM',
  'HuggingFace',
  'Cerebras',
  'Cloudflare',
  'DeepSeek',
  'XAI',
  'Together',
  'Fireworks',
  'LMStudio',
  'OpenAICompatible',
] as const;

/** Protocols that a client may speak on a route's own path. */
export const clientProtocols = [
  'OpenAIChat',
  'OpenAICompletions',
  'OpenAIResponses',
  'OpenAIEmbeddings',
  'AnthropicMessages',
  'Ollama',
] as const;

/** Strategies that order the backends of one priority tier. */
export const strategies = [
  'Random',
  'RoundRobin',
  'Weighted',
  'LeastUsed',
  'LeastBusy',
  'LeastLatency',
  'DynamicWeighted',
  'FirstAvailable',
  'Cheapest',
  'Affinity',
  'Plugin',
] as const;

/** `namespace/name` of the object that an entry was compiled from: its identity in state, logs and metrics. */
const objectId = z.string().min(3).max(317);
const seconds = z.number().nonnegative();
const count = z.int().nonnegative();
/** Money: millionths of a US dollar, so that sums stay exact. */
const microDollars = z.int().nonnegative();
const stringMap = z.record(z.string(), z.string());

const limitSchema = z.object({
  resource: z.enum(['Requests', 'InputTokens', 'OutputTokens', 'TotalTokens', 'Concurrency']),
  window: z.enum(['Second', 'Minute', 'Hour', 'Day', 'Month', 'None']),
  max: count,
  mode: z.enum(['Enforce', 'Shadow']),
});

const priceSchema = z.object({
  inputPerMillion: microDollars.optional(),
  cachedInputPerMillion: microDollars.optional(),
  outputPerMillion: microDollars.optional(),
});

/** As given and not capped: the total that caps them is known once the rule's are merged with the provider's. */
const timeoutsSchema = z.object({
  connectSeconds: seconds,
  firstContentSeconds: seconds,
  responseSeconds: seconds,
  idleSeconds: seconds,
  totalSeconds: seconds,
});

const modelSchema = z.object({
  name: z.string(),
  /** What is sent upstream: the entry's `upstreamName`, else its name. */
  upstreamName: z.string(),
  /** Left out: not checked, except Prefill and Responses, which must be named. */
  capabilities: z.array(z.string()).optional(),
  maxContextTokens: count.optional(),
  maxOutputTokens: count.optional(),
  price: priceSchema.optional(),
});

const providerSchema = z.object({
  id: objectId,
  type: z.enum(providerTypes),
  /** The base that the vendor's own SDK would be given; no trailing slash. */
  baseURL: z.string(),
  /** Where the address came from: a `serviceRef` may be inside the cluster, a `url` must be public unless allowed. */
  endpointSource: z.enum(['URL', 'Service', 'Default']),
  credentials: z.object({
    type: z.enum(['KeyPool', 'None', 'Passthrough', 'Workload']),
    keyPool: z
      .object({
        strategy: z.enum(['RoundRobin', 'LeastUsed', 'Weighted', 'PriorityOrder']),
        stickiness: z.enum(['None', 'Conversation', 'Client']),
      })
      .optional(),
  }),
  models: z.array(modelSchema),
  attributes: stringMap,
  limits: z.array(limitSchema),
  timeouts: timeoutsSchema,
  probe: z
    .object({
      path: z.string(),
      periodSeconds: seconds,
      timeoutSeconds: seconds,
      unhealthyAfterMillis: count.optional(),
    })
    .optional(),
  /** PEM of additional certificate authorities, and the name to verify instead of the host's. */
  tls: z.object({ caCertificates: z.string().optional(), serverName: z.string().optional() }).optional(),
  egressProxyURL: z.string().optional(),
  azure: z
    .object({
      resource: z.string().optional(),
      apiVersion: z.string().optional(),
      deploymentPath: z.string().optional(),
    })
    .optional(),
  bedrock: z.object({ region: z.string() }).optional(),
  vertexAI: z.object({ project: z.string(), location: z.string() }).optional(),
  cloudflare: z.object({ accountID: z.string() }).optional(),
});

const upstreamKeySchema = z.object({
  id: objectId,
  provider: objectId,
  state: z.enum(['Enabled', 'Disabled']),
  /** Patterns on upstream model names: exact, or a prefix that ends in `*`; empty = all. */
  models: z.array(z.string()),
  weight: count,
  priority: count,
  organization: z.string().optional(),
  project: z.string().optional(),
  limits: z.array(limitSchema),
});

const budgetSchema = z.object({
  name: z.string(),
  amount: microDollars,
  window: z.enum(['Hour', 'Day', 'Week', 'Month', 'Total']),
  onExceeded: z.enum(['Reject', 'Warn']),
  warnPercent: count.optional(),
});

const clientKeySchema = z.object({
  id: objectId,
  namespace: z.string(),
  tenant: z.string(),
  labels: stringMap,
  /** Patterns on public model names; `*` alone grants all. */
  models: z.array(z.string()).min(1),
  limits: z.array(limitSchema),
  budgets: z.array(budgetSchema),
});

/** Kubernetes label selector, as `access` and `matches` use it. */
const labelSelectorSchema = z.object({
  matchLabels: stringMap.optional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

const matchSchema = z.object({
  headers: z.array(
    z.object({ name: z.string(), type: z.enum(['Exact', 'Prefix', 'Present']), value: z.string().optional() }),
  ),
  tenant: z.string().optional(),
  keySelector: labelSelectorSchema.optional(),
  cel: z.string().optional(),
});

const requirementSchema = z.object({
  attribute: z
    .object({ name: z.string(), operator: z.enum(['In', 'NotIn', 'Exists']), values: z.array(z.string()) })
    .optional(),
  maxPrice: z
    .object({ inputPerMillion: microDollars.optional(), outputPerMillion: microDollars.optional() })
    .optional(),
  maxFirstContentMillis: count.optional(),
});

const backendSchema = z.object({
  name: z.string(),
  /** Exactly one of `provider` and `route`. */
  provider: objectId.optional(),
  route: objectId.optional(),
  /** A name in the provider's models, or any name where that list is empty; absent: the client's own. */
  model: z.string().optional(),
  weight: count,
  priority: count,
  parameters: z.object({ set: z.record(z.string(), z.unknown()), remove: z.array(z.string()) }).optional(),
});

const failoverSchema = z.object({
  on: z.array(z.string()),
  /** Added to what fails over and counts: a status, `4xx`, or `201-599`, written as inclusive ranges. */
  statusCodes: z.array(z.tuple([z.int(), z.int()])),
  maxAttempts: z.int().positive(),
  retry: z.object({ attempts: count, baseMillis: count, maxMillis: count, jitterPercent: count }),
  retryBudgetPercent: count,
  fallbackRoute: objectId.optional(),
  /** Routes for failures that the backends of the rule are of no use against: one for each class. */
  fallbacks: z.array(z.object({ class: z.enum(['ContextLength', 'ContentFilter']), route: objectId })).optional(),
  whenAllDisabled: z.enum(['SoonestExpiring', 'Fail']),
  holdSeconds: seconds,
  hedgeSeconds: seconds.optional(),
  afterContent: z.enum(['Error', 'Resume']),
  disable: z.object({
    failures: z.int().positive(),
    windowSeconds: seconds,
    /** 0 = never disable. */
    seconds,
    maxSeconds: seconds.optional(),
    probeSeconds: seconds.optional(),
  }),
});

const ruleSchema = z.object({
  name: z.string(),
  /** Alternatives; empty = matches everything. */
  matches: z.array(matchSchema),
  strategy: z.enum(strategies),
  affinity: z
    .object({ on: z.enum(['Conversation', 'Prefix', 'Client', 'Header']), headerName: z.string().optional() })
    .optional(),
  firstAvailable: z.object({ waitSeconds: seconds }).optional(),
  plugin: z.object({ module: z.string(), timeoutMillis: count }).optional(),
  require: z.array(requirementSchema),
  prefer: z.array(requirementSchema),
  /** Empty: requests that the rule matches are refused, and never come to a later rule. */
  backends: z.array(backendSchema),
  /**
   * Names of backends that the resource names, in this rule or in one that is gone altogether, and that this rule does
   * not serve. A client that pins one is refused: its path must not be read as one that any other backend may answer.
   */
  leftOut: z.array(z.string()),
  failover: failoverSchema,
  /** Each given member overrides the provider's. */
  timeouts: timeoutsSchema.partial(),
});

const routeSchema = z.object({
  id: objectId,
  /** URL prefix without a trailing slash, e.g. `/azure`. */
  path: z.string().optional(),
  models: z.array(z.object({ name: z.string(), type: z.enum(['Exact', 'Prefix']) })),
  protocol: z.enum(clientProtocols),
  access: z.object({
    mode: z.enum(['AllKeys', 'SelectedKeys', 'Anonymous']),
    keySelector: labelSelectorSchema.optional(),
    /** Namespaces whose keys may enter, already resolved by the control plane; `*` = all. */
    namespaces: z.array(z.string()),
  }),
  rules: z.array(ruleSchema).min(1),
  limits: z.array(limitSchema),
});

/** Everything that a proxy serves, without any secret. */
export const gatewayConfigSchema = z.object({
  version: z.literal(configVersion),
  className: z.string(),
  /** Only goes forward: max of last + 1 and Unix milliseconds. */
  revision: z.int().nonnegative(),
  /** SHA-256 (hex) over everything but `revision` and `digest`. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Names the credentials that belong to this configuration. */
  credentialsDigest: z.string().regex(/^[0-9a-f]{64}$/),
  providers: z.array(providerSchema),
  upstreamKeys: z.array(upstreamKeySchema),
  clientKeys: z.array(clientKeySchema),
  routes: z.array(routeSchema),
});

/** The secrets that belong to one configuration: upstream credentials, and digests (never values) of client keys. */
export const credentialsSchema = z.object({
  version: z.literal(configVersion),
  /** SHA-256 (hex) over everything but `digest`. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  upstream: z.array(z.object({ id: objectId, value: z.string().min(1), expiresAt: z.int().optional() })),
  /** `sha256` is the hex digest of the client key; `expiresAt` is Unix milliseconds. */
  clients: z.array(
    z.object({ id: objectId, sha256: z.string().regex(/^[0-9a-f]{64}$/), expiresAt: z.int().optional() }),
  ),
});

/** Parts that a configuration may have: the ConfigMap of the index holds one, and eight more are mounted. */
export const partsMax = 9;

/** The ConfigMap that holds the index of a class, and part 0 beside it. */
export function indexHolder(className: string): string {
  return `sluice-${className}`;
}

/** The ConfigMap that holds a part: the index's own, then `NAME-0` to `NAME-7`. `holder` is the name of the index's. */
export function partHolder(holder: string, part: number): string {
  return part === 0 ? holder : `${holder}-${part - 1}`;
}

/** The Secret that holds the credentials, present and previous. `holder` is the name of the index's ConfigMap. */
export function credentialsHolder(holder: string): string {
  return `${holder}-credentials`;
}

/** File (and ConfigMap key) of the index. */
export const indexName = 'index.json';

/**
 * What is published: where the configuration is, in one part or several. Parts are files beside the index, each in a
 * ConfigMap of its own where one is too small; credentials are in `credentials-DIGEST.json`, so that the previous ones
 * can lie beside the new ones. Written in the order Secret, shards, index: who sees an index can have the rest.
 */
export const configIndexSchema = z.object({
  version: z.literal(configVersion),
  revision: z.int().nonnegative(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  credentialsDigest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the parts put together: JSON as it is, or gzipped. */
  encoding: z.enum(['json', 'gzip']),
  /** Files in their order. */
  parts: z
    .array(z.object({ name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .min(1)
    .max(partsMax),
});

/** The file (and Secret key) of the credentials with this digest, as readable JSON. */
export function credentialsName(digest: string): string {
  return `credentials-${digest}.json`;
}

/** The same, gzipped: a Secret holds 1 MiB, and two sets of credentials for a while. Either file will do. */
export function gzippedCredentialsName(digest: string): string {
  return `${credentialsName(digest)}.gz`;
}

/** Where a published configuration is. */
export type ConfigIndex = z.output<typeof configIndexSchema>;
/** A whole configuration as a proxy accepts it. */
export type GatewayConfig = z.output<typeof gatewayConfigSchema>;
/** The credentials that go with a configuration. */
export type Credentials = z.output<typeof credentialsSchema>;
/** One configured provider. */
export type ProviderConfig = GatewayConfig['providers'][number];
/** One model of a provider. */
export type ModelConfig = ProviderConfig['models'][number];
/** One upstream key, without its secret. */
export type UpstreamKeyConfig = GatewayConfig['upstreamKeys'][number];
/** One client key, without its digest. */
export type ClientKeyConfig = GatewayConfig['clientKeys'][number];
/** One route. */
export type RouteConfig = GatewayConfig['routes'][number];
/** One rule of a route. */
export type RuleConfig = RouteConfig['rules'][number];
/** One alternative of a rule's matches. */
export type MatchConfig = RuleConfig['matches'][number];
/** One backend of a rule. */
export type BackendConfig = RuleConfig['backends'][number];
/** A rule's failover settings. */
export type FailoverConfig = RuleConfig['failover'];
/** Timeouts in force, in seconds. */
export type TimeoutsConfig = ProviderConfig['timeouts'];
/** A Kubernetes label selector. */
export type LabelSelector = z.output<typeof labelSelectorSchema>;
/** The type of a provider. */
export type ProviderType = ProviderConfig['type'];
/** The protocol of a route's own path. */
export type RouteProtocol = RouteConfig['protocol'];
/** How a rule orders backends of one priority. */
export type Strategy = RuleConfig['strategy'];
