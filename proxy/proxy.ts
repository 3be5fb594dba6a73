// The data plane alone: a gateway whose configuration is mounted as files, or watched in a cluster, or both: files are there
// when a container starts, whatever has become of the API server; a watch is there in a moment.

import { ConfigIntake } from './config/config-intake.ts';
import { followMounted } from './config/mounted-source.ts';
import { WatchedSource } from './config/watched-source.ts';
import { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';
import { createApiServer } from './kube/api-server.ts';
import type { Cluster } from './kube/cluster.ts';
import { loadServiceAccount, type ServiceAddress } from './kube/service-account.ts';
import { followObjects } from './kube/watched-objects.ts';
import { systemClock } from './system-clock.ts';

/** How a proxy is run: with a directory, with a watch, or with both. */
export interface ProxyOptions extends GatewayOptions {
  /** Where the ConfigMaps and the Secret are mounted. */
  readonly configDirectory: string | undefined;
  readonly watch: WatchTarget | undefined;
}

/** What to watch, and as whom. */
export interface WatchTarget {
  readonly namespace: string;
  /** Of the ConfigMap that holds the index. */
  readonly name: string;
  /** A file; undefined = the ServiceAccount of the pod. */
  readonly kubeconfig: string | undefined;
  readonly serviceAddress: ServiceAddress;
}

/** Something that is followed until it is stopped. */
interface Source {
  stop(): void;
}

/** Starts a proxy: it listens, and is ready as soon as one of its sources has brought a whole configuration. */
export async function startProxy({ configDirectory, watch, ...options }: ProxyOptions): Promise<Gateway> {
  // Before anything listens: credentials that cannot be read are a failure to start. An API server that is away is none.
  const cluster = watch && (await loadCluster(watch));
  const gateway = await startGateway(options);
  const { log, snapshots } = gateway;
  const intake = new ConfigIntake(
    {
      revision: () => snapshots.current?.revision,
      offer: (config, credentials) => gateway.offer(config, credentials),
      refuse: (reasons, identity) => gateway.refuse(reasons, identity),
    },
    log,
  );
  const sources: Source[] = [];
  if (configDirectory !== undefined) {
    sources.push(await followMounted({ directory: configDirectory, intake, clock: systemClock, log }));
    if (snapshots.current === undefined) log.warn({ directory: configDirectory }, 'not ready: no configuration yet');
  }
  if (watch !== undefined && cluster !== undefined) {
    sources.push(startWatching(watch, cluster, { intake, log, version: options.version }));
  }
  return {
    ...gateway,
    drain() {
      for (const source of sources) source.stop();
      return gateway.drain();
    },
  };
}

async function loadCluster({ kubeconfig, serviceAddress }: WatchTarget): Promise<Cluster> {
  if (kubeconfig === undefined) return loadServiceAccount(serviceAddress);
  // YAML is read here only: a proxy in a cluster does without the module.
  const { loadKubeconfig } = await import('./kube/kubeconfig.ts');
  return loadKubeconfig(kubeconfig);
}

function startWatching(
  { namespace, name }: WatchTarget,
  cluster: Cluster,
  { intake, log, version }: { readonly intake: ConfigIntake; readonly log: Gateway['log']; readonly version: string },
): Source {
  const stop = new AbortController();
  const objects = followObjects({
    server: createApiServer(cluster, `sluice-proxy/${version}`),
    clock: systemClock,
    random: Math.random,
    log,
    signal: stop.signal,
  });
  const source = new WatchedSource({ namespace, name, objects, intake, clock: systemClock, log });
  source.start();
  return {
    stop() {
      source.stop();
      stop.abort();
    },
  };
}
