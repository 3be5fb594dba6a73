// Connections to the API server: kept alive, made anew only when a certificate changes. HTTP/1.1, so that one
// broken connection breaks one watch and no more.

import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { KubeCredentials, TlsSettings } from './credentials.ts';

/** The API server is near: whoever takes longer to connect is not there. */
const connectMs = 10_000;
/** Half of what common load balancers allow an idle connection. */
const keepAliveProbeMs = 30_000;
/** Calls at the same time; more wait for their turn here instead of in the API server. */
const callsMax = 64;

/** What a connection is wanted for. A call has it for milliseconds, a watch for minutes: it must not take it from calls. */
export type Use = 'call' | 'watch';

/** Hands out the pool that fits the present certificates. */
export interface Connections {
  dispatcher(tls: TlsSettings, use: Use): Dispatcher;
  close(): Promise<void>;
}

type Pools = Readonly<Record<Use, Dispatcher>>;

/** Makes the pools. */
export function createConnections({ proxyURL }: Pick<KubeCredentials, 'proxyURL'>): Connections {
  let current: { readonly tls: TlsSettings; readonly pools: Pools } | undefined;
  return {
    dispatcher(tls, use) {
      if (current === undefined || !sameTls(current.tls, tls)) {
        // What is under way on the old pools ends in its own time: watches end every few minutes anyway.
        for (const pool of poolsOf(current)) void pool.close();
        const open = (connections: number | null): Dispatcher => openPool(tls, proxyURL, connections);
        // As many watches as there are kinds and namespaces to watch.
        current = { tls, pools: { call: open(callsMax), watch: open(null) } };
      }
      return current.pools[use];
    },
    close: async () => void (await Promise.all(poolsOf(current).map((pool) => pool.destroy()))),
  };
}

function poolsOf(current: { readonly pools: Pools } | undefined): readonly Dispatcher[] {
  return current === undefined ? [] : Object.values(current.pools);
}

function openPool(tls: TlsSettings, proxyURL: string | undefined, connections: number | null): Dispatcher {
  const connect = { ...tls, timeout: connectMs, keepAlive: true, keepAliveInitialDelay: keepAliveProbeMs };
  // Deadlines are the callers' own: a watch is silent for minutes.
  const options = { connections, pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  if (proxyURL === undefined) return new Agent({ ...options, connect });
  return new ProxyAgent({ ...options, uri: proxyURL, requestTls: { ...tls } });
}

/** Settings are read anew every few seconds; in between every request brings the same object. */
function sameTls(one: TlsSettings, other: TlsSettings): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
