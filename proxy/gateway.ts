// Puts a proxy together: configuration in, requests through, facts out. Everything is made here and passed on; nothing
// below reads the environment, a clock or another room's state by itself.

import { randomBytes } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { combineObservers } from './accounting/account.ts';
import type { Observer } from './accounting/trail.ts';
import { createAdmin } from './admin/admin.ts';
import { ConcurrencyLimits } from './balancing/concurrency.ts';
import { LoadBook } from './balancing/load-book.ts';
import { createPlugins, type Plugins } from './balancing/plugins.ts';
import type { Timer } from './canonical/clock.ts';
import { compileSnapshot } from './config/snapshot-compile.ts';
import { type Refusal, SnapshotStore } from './config/store.ts';
import { createAdminSources, describeConfig, describeGateway, type FactsSettings, InFlight } from './gateway-facts.ts';
import { createIngress, type Ingress, type ListenAddress } from './ingress/ingress.ts';
import { HealthBook } from './health/health-score.ts';
import { defaultIngressLimits } from './ingress/limits.ts';
import type { Handler } from './ingress/exchange.ts';
import { loadSampleMs, OverloadGuard, type OverloadLimits } from './ingress/overload.ts';
import { createRequestIds } from './ingress/request-id.ts';
import { faceOfPath } from './protocols/families.ts';
import { createSignatureMemory } from './protocols/gemini/signature-memory.ts';
import { type IdentityEnvironment, noIdentity } from './providers/cloud-identity.ts';
import { createUpstreamCodecs } from './protocols/upstream-codecs.ts';
import { createProbes } from './probes.ts';
import { createRouter, type RouterSettings, secretsByTarget } from './router.ts';
import { createDisableBook } from './state/disable-book.ts';
import { createMemoryStore } from './state/memory-store.ts';
import { createRedisStore } from './state/redis-store.ts';
import { type DisableChange, foreverMs, type StateStore } from './state/store.ts';
import { createCloudIdentity, createTokenExchange } from './steps/token-exchange.ts';
import { systemClock } from './system-clock.ts';
import { createAccessLog } from './telemetry/access-log.ts';
import { createLog, type FlushableDestination, type Log, type LogLevel, openDestination } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { watchProcessLoad } from './telemetry/process-load.ts';
import { createPluginCounters } from './telemetry/plugin-counters.ts';
import { createProcessMetrics } from './telemetry/process-metrics.ts';
import { createScrubber, type Scrubber } from './telemetry/redaction.ts';
import { createTraces, type Traces } from './telemetry/traces.ts';
import type { AddressPolicy } from './upstream/address-policy.ts';
import { createNameServers } from './upstream/name-servers.ts';
import { createSmallRequests } from './upstream/small-requests.ts';
import { createSourceFetcher } from './upstream/source-fetcher.ts';
import { createUpstreams } from './upstream/upstreams.ts';

/** How long a starting proxy waits for Redis, so that it does not begin with backends that others know to be broken. */
const storeStartMs = 1000;

/** How a gateway is run. */
export interface GatewayOptions {
  readonly version: string;
  readonly listen: ListenAddress;
  readonly admin: ListenAddress & { readonly token: string | undefined };
  /** Undefined: nothing is shared with other processes. */
  readonly redisURL: string | undefined;
  readonly className: string;
  /** How many proxies share Redis, until it has told. */
  readonly replicas: number;
  readonly drainMs: number;
  readonly overload: OverloadLimits;
  readonly addresses: AddressPolicy;
  /** What the environment says of who this proxy is in its cloud; undefined = nobody. */
  readonly identity?: IdentityEnvironment;
  /** Where images and documents may be that clients name the addresses of. */
  readonly sources: SourceNetworks;
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
  /** Modules of the strategy Plugin are loaded from here; undefined: there are none, and chance decides. */
  readonly pluginFolder?: string | undefined;
  /** Where spans go; undefined = nowhere. */
  readonly otlpEndpoint: string | undefined;
  readonly serviceName: string | undefined;
}

/** Networks besides public ones, and who resolves names there; the system's name servers if undefined. */
export interface SourceNetworks {
  readonly allowCidrs: readonly string[];
  readonly resolve?: (hostname: string) => Promise<LookupAddress[]>;
}

/** A proxy that listens. */
export interface Gateway {
  readonly listening: { readonly data: ListenAddress; readonly admin: ListenAddress };
  readonly log: Log;
  readonly snapshots: SnapshotStore;
  /** Offers a configuration and its credentials; the refusal, or undefined if they are in force. */
  offer(config: unknown, credentials: unknown): Refusal | undefined;
  /** Records that a configuration could not even be offered, and which one, where that is known. */
  refuse(reasons: readonly string[], identity?: Pick<Refusal, 'revision' | 'digest'>): void;
  /** Stops taking requests, lets those under way finish (up to the deadline), and closes everything. */
  drain(): Promise<void>;
}

/** What the parts of one gateway have in common. */
interface Ground {
  readonly options: GatewayOptions;
  /** Names this process to other proxies, in logs and request ids. */
  readonly proxyId: string;
  readonly log: Log;
  readonly destination: FlushableDestination;
  readonly scrubber: Scrubber;
  readonly facts: FactsSettings;
}

/** Starts a proxy. It is not ready before its first configuration. Rejects if it cannot listen. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const ground = layGround(options);
  const { log, facts, destination } = ground;
  const { snapshots, state } = facts;
  const metrics = createGatewayMetrics(ground);
  const traces = await createGatewayTraces(ground);
  const upstreams = createUpstreams({ clock, addresses: options.addresses, resolve: resolveAll });
  const credentials = createCredentialSources(options);
  const probes = createProbes({ ...facts, ...credentials, random: Math.random, upstreams, log });
  const plugins = createGatewayPlugins(ground, metrics);
  const router = createRouter({
    ...facts,
    plugins,
    random: Math.random,
    upstreams,
    ...credentials,
    observer: createObserver(ground, metrics, traces),
    onMalformed: (backend) => metrics.malformedFrame(backend),
    unexpected: (error, requestId) => log.error({ error, requestId }, 'request failed for a fault of the gateway'),
    fetchSource: createSourceFetcher({ resolve: createNameServers(), ...options.sources }),
  });
  const ingress = createGatewayIngress(ground, router.handler);
  let draining = false;
  const sources = createAdminSources(facts, metrics, () => draining);
  const admin = createAdmin({ ...options.admin, sources, clock, log });
  snapshots.onChange((next, previous) => {
    metrics.setConfig(next.config);
    upstreams.retain(next);
    router.adopt(next, previous);
    probes.adopt(next);
    facts.health.retain((backend) => next.backends.has(backend));
    ground.scrubber.setSecrets([...secretsByTarget(next).values(), ...ownSecrets(options)]);
  });
  await state.start(storeStartMs);
  const load = watchOverload(ground);
  const listening = {
    admin: await admin.listen(),
    data: await ingress.listen(options.listen.host, options.listen.port),
  };
  return {
    listening,
    log,
    snapshots,
    offer(config, credentials) {
      const refusal = snapshots.offer(config, credentials);
      if (refusal !== undefined) metrics.configRefused();
      return refusal;
    },
    refuse(reasons, { revision, digest } = { revision: undefined, digest: undefined }) {
      snapshots.refuse({ revision, digest, reasons });
      metrics.configRefused();
    },
    async drain() {
      draining = true;
      probes.close();
      const report = await ingress.drain({ deadlineMs: options.drainMs });
      log.info({ ...report }, 'drained');
      await Promise.all([upstreams.close(), state.close(), plugins.close(), traces?.shutdown()]);
      load.cancel();
      await admin.close();
      destination.flush();
    },
  };
}

const clock = systemClock;

function layGround(options: GatewayOptions): Ground {
  const proxyId = randomBytes(6).toString('hex');
  const destination = openDestination(1);
  const scrubber = createScrubber();
  scrubber.setSecrets(ownSecrets(options));
  const log = createLog({ level: options.logLevel, destination, scrubber });
  const state = createStateStore(options, proxyId, log);
  const disables = createDisableBook({ clock, store: state, proxyId, log });
  const snapshots = createSnapshotStore();
  const loads = new LoadBook();
  const limits = new ConcurrencyLimits({ clock, inFlightOf: (backend) => loads.of(backend).inFlight });
  const guard = new OverloadGuard(options.overload);
  const health = new HealthBook();
  const facts = { clock, snapshots, disables, state, inFlight: new InFlight(), loads, limits, guard, health };
  return { options, proxyId, destination, scrubber, log, facts };
}

/** Judges the load of this process again and again. One line for each change, or nobody would know whose 503 it is. */
function watchOverload({ facts: { guard }, log }: Ground): Timer {
  let before = guard.shedding;
  return watchProcessLoad(clock, loadSampleMs, (sample) => {
    guard.sample(sample);
    const now = guard.shedding;
    if (now === before) return;
    if (now === undefined) log.info({}, 'new requests are let in again');
    else log.warn({ reason: now, ...sample }, 'overloaded: a share of new requests is refused');
    before = now;
  });
}

/** Where clouds have their metadata and the credentials of pods, which nobody but the platform names. */
const platformCidrs = ['169.254.169.254/32', '169.254.170.0/24', 'fd00:ec2::/32', 'fd20:ce::254/128'];

/** Tokens for key files, from where those say; and the identity of the proxy, from where its platform says. */
function createCredentialSources({
  addresses,
  identity,
}: GatewayOptions): Required<Pick<RouterSettings, 'tokens' | 'identity'>> {
  const send = createSmallRequests({ clock, addresses, resolve: resolveAll });
  const tokens = createTokenExchange({ clock, send });
  if (identity === undefined) return { tokens, identity: noIdentity };
  const platform = { allowPrivate: true, allowCidrs: [...addresses.allowCidrs, ...platformCidrs] };
  const sendThere = createSmallRequests({ clock, addresses: platform, resolve: resolveAll });
  const settings = { clock, send: sendThere, environment: identity };
  return {
    tokens,
    identity: createCloudIdentity({ ...settings, readFile: (path) => readFile(path, 'utf8') }),
  };
}

/** What is remembered of conversations outlives every configuration. */
function createSnapshotStore(): SnapshotStore {
  const codecs = createUpstreamCodecs(createSignatureMemory());
  return new SnapshotStore(clock, (config, credentials, inForce) =>
    compileSnapshot(config, credentials, inForce, codecs),
  );
}

function createStateStore({ redisURL, className, replicas }: GatewayOptions, proxyId: string, log: Log): StateStore {
  if (redisURL === undefined) return createMemoryStore({ clock });
  return createRedisStore({ url: redisURL, className, proxyId, clock, random: Math.random, log, replicas });
}

function createGatewayMetrics({ options, proxyId, log, facts }: Ground): Metrics {
  const metrics = createMetrics({
    clock,
    version: options.version,
    proxyId,
    sources: {
      targets: () => describeGateway(facts),
      config: () => describeConfig(facts.snapshots),
      store: () => facts.state.health(),
      overload: () => facts.guard.report(),
    },
    processMetrics: createProcessMetrics(),
  });
  facts.disables.onChange((change) => metrics.disableChanged(change));
  facts.disables.onChange((change) => logDisable(log, change));
  return metrics;
}

function createGatewayPlugins({ options, log }: Ground, metrics: Metrics): Plugins {
  const counters = createPluginCounters(clock, (module, outcome, message) =>
    log.warn({ module, outcome, why: message }, 'a plugin did not order its candidates: chance decides'),
  );
  metrics.register(counters.family);
  return createPlugins({ folder: options.pluginFolder, clock, asked: counters.asked });
}

/** One line per change of state, wherever it was seen first: what on-call looks for. */
function logDisable(log: Log, { target, entry }: DisableChange): void {
  if (entry === undefined) {
    log.info({ target }, 'enabled');
    return;
  }
  const { hard, reason, untilMs, by } = entry;
  const until = untilMs >= foreverMs ? 'enabled by hand' : new Date(untilMs).toISOString();
  log.warn({ target, reason, hard, until, by }, 'disabled');
}

/** Why attempts failed, in full, for whoever asks for this much: backends that are out say the class at level warn. */
function createFailureLog(log: Log): Observer {
  return {
    attemptEnded({ id }, { backend, key, failure }) {
      if (failure === undefined) return;
      const { class: failureClass, status, cause } = failure;
      // Faults of the connection only: the words of an upstream may quote the prompt.
      const error = cause instanceof Error ? cause : undefined;
      log.debug({ requestId: id, backend, key, class: failureClass, status, error }, 'attempt failed');
    },
  };
}

function createGatewayTraces({ options, proxyId, log }: Ground): Promise<Traces | undefined> {
  const { otlpEndpoint: endpoint, serviceName, version } = options;
  return createTraces({ endpoint, serviceName, proxyId, version, clock, log });
}

function createObserver(ground: Ground, metrics: Metrics, traces: Traces | undefined): Required<Observer> {
  const { options, destination, log, facts } = ground;
  const accessLog = createAccessLog({ enabled: options.accessLog, level: options.logLevel, destination, clock });
  const failureLog = options.logLevel === 'debug' || options.logLevel === 'trace' ? createFailureLog(log) : undefined;
  const limits: Observer = { attemptEnded: (_trail, attempt) => facts.limits.ended(attempt) };
  // Limits come after the count of what is in flight: the attempt that was refused is none of it any more.
  const observers = [
    facts.inFlight.observer,
    facts.health.observer,
    limits,
    metrics.observer,
    accessLog,
    failureLog,
    traces?.observer,
  ];
  return combineObservers(
    observers.filter((observer) => observer !== undefined),
    (error) => log.error({ error }, 'an observer failed'),
  );
}

function createGatewayIngress({ proxyId, log, facts }: Ground, handler: Handler): Ingress {
  return createIngress({
    handler,
    encodeError: (path, error, requestId) => faceOfPath(path).encodeError(error, requestId),
    clock,
    newId: createRequestIds(proxyId),
    limits: defaultIngressLimits,
    shed: (requestsInFlight) => facts.guard.shed(requestsInFlight),
    log,
  });
}

/** Credentials that no configuration names. */
function ownSecrets({ admin, redisURL }: GatewayOptions): string[] {
  const password = redisURL === undefined ? '' : decodeURIComponent(/\/\/[^/@]*?:([^/@]*)@/.exec(redisURL)?.[1] ?? '');
  return [admin.token ?? '', password].filter((secret) => secret !== '');
}

function resolveAll(hostname: string): Promise<LookupAddress[]> {
  return lookup(hostname, { all: true });
}
