// Compiles a validated configuration and its credentials into a snapshot: names become references, patterns become
// tests, seconds become milliseconds. Whatever cannot be compiled refuses the whole configuration, with the reason.

import { compileAccess } from '../auth/access.ts';
import { createKeyring } from '../auth/client-key.ts';
import { compileModelPatterns } from '../auth/model-patterns.ts';
import { createUpstreamCodecs, type UpstreamCodecs } from '../protocols/upstream-codecs.ts';
import { providerKind } from '../providers/vendors.ts';
import { compileLabelSelector } from '../routing/label-selector.ts';
import { keyTarget, providerTarget } from '../routing/target.ts';
import { ConfigRefused } from './parse-config.ts';
import { compileRules, type RuleGround } from './rule-compile.ts';
import type { Credentials, GatewayConfig, RouteConfig, ProviderConfig } from './schema.ts';
import type { Backend, Candidate, ProbeConfig, Provider, Route, Snapshot, UpstreamKey } from './snapshot.ts';

/** What is in force, and the credentials that it was compiled with. */
export interface InForce {
  readonly snapshot: Snapshot;
  readonly credentials: Credentials;
}

/**
 * Compiles a pair that belongs together. What it has in common with the one in force (the same objects, as
 * `parseConfig` gives them) is taken from there. `codecs` are what upstreams are spoken to with; where nothing is sent, any
 * will do. Throws ConfigRefused.
 */
export function compileSnapshot(
  config: GatewayConfig,
  credentials: Credentials,
  inForce?: InForce,
  codecs: UpstreamCodecs = createUpstreamCodecs(),
): Snapshot {
  if (config.credentialsDigest !== credentials.digest) {
    throw new ConfigRefused([`the credentials are not those of revision ${config.revision}`]);
  }
  const previous = inForce?.snapshot;
  const providers = compileProviders(config, credentials, previous);
  const routes = compileRoutes(config, { providers, codecs, previous });
  return {
    revision: config.revision,
    digest: config.digest,
    className: config.className,
    config,
    routes,
    byPath: indexPaths(routes),
    ...indexModels(routes),
    principal: sameKeyring(config, credentials, inForce) ?? createKeyring(config.clientKeys, credentials.clients),
    providers,
    backends: collectBackends(routes),
  };
}

function sameKeyring(
  { clientKeys }: GatewayConfig,
  { clients }: Credentials,
  inForce: InForce | undefined,
): Snapshot['principal'] | undefined {
  const same = clientKeys === inForce?.snapshot.config.clientKeys && clients === inForce.credentials.clients;
  return same ? inForce.snapshot.principal : undefined;
}

function compileProviders(
  config: GatewayConfig,
  credentials: Credentials,
  previous: Snapshot | undefined,
): Map<string, Provider> {
  const secrets = new Map(credentials.upstream.map((secret) => [secret.id, secret]));
  const keys = new Map<string, UpstreamKey[]>();
  for (const key of config.upstreamKeys) {
    const secret = secrets.get(key.id);
    if (key.state === 'Disabled' || secret === undefined) continue;
    const compiled: UpstreamKey = {
      id: key.id,
      target: keyTarget(key.id),
      weight: key.weight,
      priority: key.priority,
      secret: secret.value,
      expiresAtMs: secret.expiresAt,
      serves: compileKeyModels(key.models),
      config: key,
    };
    const pool = keys.get(key.provider);
    if (pool === undefined) keys.set(key.provider, [compiled]);
    else pool.push(compiled);
  }
  const providers = new Map<string, Provider>();
  for (const provider of config.providers) {
    const compiled = compileProvider(provider, keys.get(provider.id) ?? []);
    const before = previous?.providers.get(provider.id);
    providers.set(provider.id, before !== undefined && isSameProvider(compiled, before) ? before : compiled);
  }
  return providers;
}

function compileProvider(config: ProviderConfig, keys: readonly UpstreamKey[]): Provider {
  const { id, type, baseURL } = config;
  const kind = providerKind(type);
  if (!isAddress(baseURL)) throw new ConfigRefused([`provider ${id}: baseURL is no HTTP address`]);
  const pathStart = baseURL.indexOf('/', baseURL.indexOf('://') + 3);
  const basePath = pathStart === -1 ? '' : baseURL.slice(pathStart).replace(/\/$/, '');
  const usable = keys.filter((key) => kind.sign !== undefined || isSendable(key.secret));
  return { id, config, kind, origin: new URL(baseURL).origin, basePath, keys: usable, probe: compileProbe(config) };
}

function compileProbe({ id, probe }: ProviderConfig): ProbeConfig | undefined {
  if (probe === undefined) return undefined;
  const { path, periodSeconds, timeoutSeconds, unhealthyAfterMillis } = probe;
  return {
    target: providerTarget(id),
    path,
    periodMs: periodSeconds * 1000,
    timeoutMs: timeoutSeconds * 1000,
    unhealthyAfterMs: unhealthyAfterMillis,
  };
}

function isSameProvider(one: Provider, other: Provider): boolean {
  return (
    one.config === other.config &&
    one.keys.length === other.keys.length &&
    one.keys.every(({ config, secret, expiresAtMs }, index) => {
      const key = other.keys[index];
      return config === key?.config && secret === key.secret && expiresAtMs === key.expiresAtMs;
    })
  );
}

/** What no header can carry is no key: trying it would only look like a fault of the upstream. */
function isSendable(secret: string): boolean {
  return /^[\t\x20-\x7e]+$/.test(secret);
}

function isAddress(baseURL: string): boolean {
  const protocol = URL.parse(baseURL)?.protocol;
  return protocol === 'https:' || protocol === 'http:';
}

/** An empty list of patterns serves every model. */
function compileKeyModels(patterns: readonly string[]): (model: string | undefined) => boolean {
  if (patterns.length === 0) return () => true;
  const matches = compileModelPatterns(patterns);
  return (model) => model !== undefined && matches(model);
}

function compileRoutes(
  config: GatewayConfig,
  { providers, codecs, previous }: Omit<RuleGround, 'lookUp'> & { readonly previous: Snapshot | undefined },
): Map<string, Route> {
  const routes = new Map<string, Route>();
  const reasons: string[] = [];
  // Routes may refer to each other, so references look the route up when a request comes, not while compiling.
  const lookUp = (id: string): Route => {
    const route = routes.get(id);
    if (route === undefined) throw new ConfigRefused([`route ${id} does not exist`]);
    return route;
  };
  for (const route of config.routes) {
    try {
      routes.set(route.id, sameRoute(route, providers, previous) ?? compileRoute(route, { providers, codecs, lookUp }));
    } catch (error) {
      reasons.push(`route ${route.id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  reasons.push(...findBrokenReferences(routes));
  if (reasons.length > 0) throw new ConfigRefused(reasons);
  return routes;
}

/** The route as it is compiled, if neither it nor a provider of its has changed. One that refers to others never is. */
function sameRoute(
  config: RouteConfig,
  providers: ReadonlyMap<string, Provider>,
  previous: Snapshot | undefined,
): Route | undefined {
  const route = previous?.routes.get(config.id);
  if (route?.config !== config || references(config).length > 0) return undefined;
  const isSame = (id = ''): boolean => providers.get(id) === previous?.providers.get(id);
  return config.rules.every(({ backends }) => backends.every(({ provider }) => isSame(provider))) ? route : undefined;
}

function compileRoute(config: RouteConfig, ground: RuleGround): Route {
  const selects = compileLabelSelector(config.access.keySelector ?? {});
  const { rules, pins } = compileRules(config, ground);
  return {
    id: config.id,
    namespace: config.id.slice(0, config.id.indexOf('/')),
    config,
    protocol: config.protocol,
    rules,
    admits: compileAccess(config.access, selects),
    anonymous: config.access.mode === 'Anonymous',
    pins,
  };
}

/** Unknown routes and cycles of references; the control plane refuses them too, but a proxy trusts nobody's word. */
function findBrokenReferences(routes: ReadonlyMap<string, Route>): string[] {
  const reasons: string[] = [];
  // Each route is looked into once, however many ways lead to it.
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    const route = routes.get(id);
    if (route === undefined) reasons.push(`route ${path.at(-1)}: route ${id} does not exist`);
    else if (path.includes(id)) reasons.push(`route ${id}: refers to itself through ${path.join(', ')}`);
    else if (!done.has(id)) {
      for (const next of references(route.config)) visit(next, [...path, id]);
      done.add(id);
    }
  };
  for (const id of routes.keys()) visit(id, []);
  return reasons;
}

function references(config: RouteConfig): string[] {
  const named: string[] = [];
  for (const { failover, backends } of config.rules) {
    const fallbacks = failover.fallbacks?.map(({ route }) => route) ?? [];
    for (const id of [failover.fallbackRoute, ...fallbacks, ...backends.map(({ route }) => route)])
      if (id !== undefined) named.push(id);
  }
  return named;
}

function indexPaths(routes: ReadonlyMap<string, Route>): Snapshot['byPath'] {
  const byPath = new Map<string, Route>();
  for (const route of routes.values()) if (route.config.path !== undefined) byPath.set(route.config.path, route);
  return (path) => {
    // From the whole path upwards, one segment less each time: the longest claimed prefix wins.
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const route = byPath.get(end === path.length ? path : path.slice(0, end));
      if (route !== undefined) return { route, rest: path.slice(end) };
    }
    return undefined;
  };
}

function indexModels(routes: ReadonlyMap<string, Route>): Pick<Snapshot, 'byModel' | 'models'> {
  const models = new Map<string, Route>();
  const prefixes: { readonly prefix: string; readonly route: Route }[] = [];
  for (const route of routes.values()) {
    for (const { name, type } of route.config.models) {
      if (type === 'Exact') models.set(name, route);
      else prefixes.push({ prefix: name, route });
    }
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
  return {
    models,
    byModel: (model) => models.get(model) ?? prefixes.find(({ prefix }) => model.startsWith(prefix))?.route,
  };
}

function collectBackends(routes: ReadonlyMap<string, Route>): Map<string, Backend> {
  const backends = new Map<string, Backend>();
  const add = (candidate: Candidate): void => {
    if (candidate.kind === 'backend' && !backends.has(candidate.id)) backends.set(candidate.id, candidate);
  };
  for (const route of routes.values()) {
    // Not by the pins: a name that its first rule leaves out may still be served by another.
    for (const { tiers, excluded } of route.rules) {
      for (const { candidates } of tiers) candidates.forEach(add);
      for (const { candidate } of excluded) add(candidate);
    }
  }
  return backends;
}
