// The parts of an operator that all its controllers stand on, made once and passed on.

import { Acks, type AcksOptions } from './acks/acks.ts';
import type { ProxyAddress } from './acks/ask-proxy.ts';
import { Publisher } from './apply/publisher.ts';
import type { Clock } from './clock.ts';
import { createEventRecorder, type EventRecorder } from './events/recorder.ts';
import { createKubeClient, type KubeClient } from './kube/client.ts';
import { type CredentialsSource, loadCredentials } from './kube/credentials.ts';
import { createElector, type Elector } from './leader/elector.ts';
import type { Log } from './log.ts';
import { Ledger } from './reconcile/ledger.ts';
import { describeFacts } from './reconcile/operator-facts.ts';
import { createOperatorMetrics, type OperatorFacts, type OperatorMetrics } from './telemetry/metrics.ts';
import { type OutputNames, outputNamesOf } from './watch/output.ts';
import { createSources, type FollowedSources, type Sources } from './watch/sources.ts';

/** How an operator is run. */
export interface OperatorOptions {
  readonly version: string;
  readonly credentials: CredentialsSource;
  readonly className: string;
  /** Where its ConfigMaps, its Secret, its Lease and its proxies are; the namespace of the credentials where left out. */
  readonly installNamespace: string | undefined;
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  /** Label selector of the proxies' pods; undefined: only `proxyAddresses` are asked. */
  readonly proxySelector: string | undefined;
  readonly proxyAddresses: readonly ProxyAddress[];
  /** Bearer token of the proxies' admin ports. */
  readonly adminToken: string | undefined;
  /** Where health and metrics are served. */
  readonly admin: { readonly host: string; readonly port: number };
  readonly disableSecondsDefault: number;
  /** Different for each process that ever was. */
  readonly identity: string;
}

/** What an operator gets from the process. */
export interface OperatorContext {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Cryptographically strong. */
  readonly randomBytes: (size: number) => Uint8Array;
  readonly log: Log;
  /** Told of every secret that must not get into the log. */
  readonly onSecrets: (secrets: readonly string[]) => void;
}

/** What the parts of one operator have in common. */
export interface Ground extends OperatorContext {
  readonly options: OperatorOptions;
  readonly client: KubeClient;
  readonly sources: FollowedSources;
  readonly names: OutputNames;
  readonly ledger: Ledger;
  readonly elector: Elector;
  readonly publisher: Publisher;
  readonly events: EventRecorder;
  readonly metrics: OperatorMetrics;
  readonly acks: Acks;
}

/** The Lease that replicas of one class compete for. */
export function leaseName({ className }: OperatorOptions): string {
  return `sluice-${className}-operator`;
}

/** Makes the parts and connects them; nothing is asked of the API server yet. `onAcks`: what Acks calls with news. */
export function layGround(options: OperatorOptions, context: OperatorContext, onAcks: AcksOptions['onChange']): Ground {
  const { clock, log } = context;
  const monotonic = (): number => clock.monotonic();
  const credentials = loadCredentials(options.credentials, monotonic);
  const namespace = options.installNamespace ?? credentials.namespace ?? 'default';
  const names = outputNamesOf(options.className);
  const ledger = new Ledger();
  // Metrics are asked for facts only when they are scraped, long after all of this is there.
  const facts = (): OperatorFacts => describeFacts(sources, acks);
  const metrics = createOperatorMetrics({ host: new URL(credentials.server).host, version: options.version, facts });
  const userAgent = `sluice-operator/${options.version}`;
  const mayWrite = (): boolean => elector.isLeader();
  const client = createKubeClient({ credentials, userAgent, observer: metrics.requests, monotonic, mayWrite });
  const common = { ...context, client };
  const sources = createSources({ ...common, ...options, installNamespace: namespace, outputNames: names });
  const elector = createElector({
    ...common,
    namespace,
    name: leaseName(options),
    identity: options.identity,
    onSlowPath: () => metrics.slowPath(leaseName(options)),
  });
  const { outputs, publishedCredentials } = sources;
  const publisher = new Publisher({ client, namespace, names, outputs, publishedCredentials, mayWrite, monotonic });
  const reporter = { reportingController: 'sluice.dev/operator', reportingInstance: options.identity };
  const events = createEventRecorder({ ...common, ...reporter, onDropped: (cause) => metrics.eventDropped(cause) });
  const addresses = (): readonly ProxyAddress[] => proxiesToAsk(options, sources);
  const acks = new Acks({ addresses, token: options.adminToken, clock, log, onChange: onAcks });
  return { ...common, options, sources, names, ledger, elector, publisher, events, metrics, acks };
}

/** Pods that are ready, and the addresses that were given by hand. */
function proxiesToAsk({ proxyAddresses }: OperatorOptions, { proxies }: Sources): readonly ProxyAddress[] {
  const pods = proxies.list().flatMap(({ name, ready, admin }) => (ready && admin ? [{ proxy: name, ...admin }] : []));
  return [...pods, ...proxyAddresses];
}
