// Small configurations of a proxy, written by hand: every builder gives what the control plane would by default, and takes
// what a test wants different.

import { createHash, randomUUID } from 'node:crypto';
import type {
  BackendConfig,
  ClientKeyConfig,
  Credentials,
  FailoverConfig,
  GatewayConfig,
  ProviderConfig,
  RouteConfig,
  RuleConfig,
  UpstreamKeyConfig,
} from '../../proxy/config/schema.ts';

/** A configuration and the credentials that belong to it. */
export interface ConfigPair {
  readonly config: GatewayConfig;
  readonly credentials: Credentials;
}

/** A key of a client or of a pool, with its secret. */
export interface KeyDraft<C> {
  readonly config: C;
  readonly secret: string;
  readonly expiresAt?: number;
}

/** What a configuration is made of. */
export interface ConfigDraft {
  readonly providers: readonly ProviderConfig[];
  readonly routes: readonly RouteConfig[];
  readonly upstreamKeys?: readonly KeyDraft<UpstreamKeyConfig>[];
  readonly clientKeys?: readonly KeyDraft<ClientKeyConfig>[];
}

const namespace = 'default';
let lastRevision = 0;

/** Puts a configuration together; each has a later revision than the ones before. */
export function configOf({ providers, routes, upstreamKeys = [], clientKeys = [] }: ConfigDraft): ConfigPair {
  const credentialsDigest = sha256(randomUUID());
  const config: GatewayConfig = {
    version: 1,
    className: 'default',
    revision: ++lastRevision,
    digest: sha256(randomUUID()),
    credentialsDigest,
    providers: [...providers],
    upstreamKeys: upstreamKeys.map((key) => key.config),
    clientKeys: clientKeys.map((key) => key.config),
    routes: [...routes],
  };
  const credentials: Credentials = {
    version: 1,
    digest: credentialsDigest,
    upstream: upstreamKeys.map(({ config: { id }, secret, ...rest }) => ({ id, value: secret, ...rest })),
    clients: clientKeys.map(({ config: { id }, secret, ...rest }) => ({ id, sha256: sha256(secret), ...rest })),
  };
  return { config, credentials };
}

/** The digest that keys and files are known by. */
export function sha256(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('hex');
}

/** A provider without credentials. Its usual deadlines are those of the API. */
export function provider(name: string, baseURL: string, differs: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    id: `${namespace}/${name}`,
    type: 'OpenAICompatible',
    baseURL,
    endpointSource: 'URL',
    credentials: { type: 'None' },
    models: [],
    attributes: {},
    limits: [],
    timeouts: { connectSeconds: 5, firstContentSeconds: 60, responseSeconds: 300, idleSeconds: 60, totalSeconds: 600 },
    ...differs,
  };
}

/** A backend that stands for the provider of its name. */
export function backend(name: string, differs: Partial<BackendConfig> = {}): BackendConfig {
  const place = differs.route === undefined ? { provider: `${namespace}/${name}` } : {};
  return { name, weight: 1, priority: 0, ...place, ...differs };
}

/** The failover of the API's defaults, with shorter waits. */
export function failover(differs: Partial<FailoverConfig> = {}): FailoverConfig {
  return {
    on: [...failsOver],
    statusCodes: [],
    maxAttempts: 3,
    retry: { attempts: 0, baseMillis: 20, maxMillis: 1000, jitterPercent: 20 },
    retryBudgetPercent: 20,
    whenAllDisabled: 'SoonestExpiring',
    holdSeconds: 15,
    afterContent: 'Error',
    disable: { failures: 1, windowSeconds: 60, seconds: 600 },
    ...differs,
  };
}

const failsOver = [
  'Connect',
  'TLS',
  'Timeout',
  'RateLimit',
  'Quota',
  'ServerError',
  'Overloaded',
  'Authentication',
  'Permission',
  'ModelNotFound',
  'ContextLength',
  'InvalidResponse',
  'Truncated',
  'Stalled',
] as const;

/** A rule over backends, in the order in which they are to be tried: each has a priority of its own. */
export function ruleInOrder(names: readonly string[], differs: Partial<RuleConfig> = {}): RuleConfig {
  return rule(
    names.map((name, priority) => backend(name, { priority })),
    differs,
  );
}

/** A rule over backends. */
export function rule(backends: readonly BackendConfig[], differs: Partial<RuleConfig> = {}): RuleConfig {
  return {
    name: 'default',
    matches: [],
    strategy: 'RoundRobin',
    require: [],
    prefer: [],
    backends: [...backends],
    leftOut: [],
    failover: failover(),
    timeouts: {},
    ...differs,
  };
}

/** A route that anyone may enter: by its path `/NAME`, and by the model of its name. */
export function route(name: string, rules: readonly RuleConfig[], differs: Partial<RouteConfig> = {}): RouteConfig {
  return {
    id: `${namespace}/${name}`,
    path: `/${name}`,
    models: [{ name, type: 'Exact' }],
    protocol: 'OpenAIChat',
    access: { mode: 'Anonymous', namespaces: [] },
    limits: [],
    rules: [...rules],
    ...differs,
  };
}

/** A key of the pool of a provider. */
export function upstreamKey(
  name: string,
  providerName: string,
  secret: string,
  differs: Partial<UpstreamKeyConfig> & { readonly expiresAt?: number } = {},
): KeyDraft<UpstreamKeyConfig> {
  const { expiresAt, ...rest } = differs;
  const id = `${namespace}/${name}`;
  const usual = { state: 'Enabled', models: [], weight: 1, priority: 0, limits: [] } as const;
  const config = { id, provider: `${namespace}/${providerName}`, ...usual, models: [], limits: [], ...rest };
  return { config, secret, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** A key of a client, good for every model. */
export function clientKey(
  name: string,
  secret: string,
  differs: Partial<ClientKeyConfig> & { readonly expiresAt?: number } = {},
): KeyDraft<ClientKeyConfig> {
  const { expiresAt, ...rest } = differs;
  const id = `${namespace}/${name}`;
  const config = { id, namespace, tenant: name, labels: {}, models: ['*'], limits: [], budgets: [], ...rest };
  return { config, secret, ...(expiresAt === undefined ? {} : { expiresAt }) };
}
