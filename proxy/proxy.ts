// The data plane alone: a gateway whose configuration is mounted as files. Knows nothing of who wrote them.

import { followMounted } from './config/mounted-source.ts';
import { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';
import { systemClock } from './system-clock.ts';

/** How a proxy is run. */
export interface ProxyOptions extends GatewayOptions {
  /** Where the ConfigMaps and the Secret are mounted. */
  readonly configDirectory: string;
}

/** Starts a proxy: it listens, and is ready as soon as the directory holds a whole configuration. */
export async function startProxy({ configDirectory, ...options }: ProxyOptions): Promise<Gateway> {
  const gateway = await startGateway(options);
  const { log, snapshots } = gateway;
  const source = await followMounted({ directory: configDirectory, sink: gateway, clock: systemClock, log });
  if (snapshots.current === undefined) log.warn({ directory: configDirectory }, 'not ready: no configuration yet');
  return {
    ...gateway,
    drain() {
      source.stop();
      return gateway.drain();
    },
  };
}
