// Connections to the API server: one pool, kept alive, made anew only when a certificate changes. HTTP/1.1, so that one
// broken connection breaks one watch and no more.

import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { KubeCredentials, TlsSettings } from './credentials.ts';

/** The API server is near: whoever takes longer to connect is not there. */
const connectMs = 10_000;
/** Half of what common load balancers allow an idle connection. */
const keepAliveProbeMs = 30_000;
/** Watches hold one each, calls share the rest. */
const connectionsMax = 128;

/** Hands out the pool that fits the present certificates. */
export interface Connections {
  dispatcher(tls: TlsSettings): Dispatcher;
  close(): Promise<void>;
}

/** Makes the pool. */
export function createConnections({ proxyURL }: Pick<KubeCredentials, 'proxyURL'>): Connections {
  let current: { readonly tls: TlsSettings; readonly dispatcher: Dispatcher } | undefined;
  return {
    dispatcher(tls) {
      if (current === undefined || !sameTls(current.tls, tls)) {
        // What is under way on the old pool ends in its own time: watches end every few minutes anyway.
        void current?.dispatcher.close();
        current = { tls, dispatcher: openPool(tls, proxyURL) };
      }
      return current.dispatcher;
    },
    close: async () => current?.dispatcher.destroy(),
  };
}

function openPool(tls: TlsSettings, proxyURL: string | undefined): Dispatcher {
  const connect = { ...tls, timeout: connectMs, keepAlive: true, keepAliveInitialDelay: keepAliveProbeMs };
  // Deadlines are the callers' own: a watch is silent for minutes.
  const options = { connections: connectionsMax, pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0 };
  if (proxyURL === undefined) return new Agent({ ...options, connect });
  return new ProxyAgent({ ...options, uri: proxyURL, requestTls: { ...tls } });
}

function sameTls(one: TlsSettings, other: TlsSettings): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
