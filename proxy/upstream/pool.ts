// Connections to one upstream: HTTP/1.1, kept alive, bounded, with addresses checked and no deadline of undici's own.
// The only folder that knows undici.

import { isIP } from 'node:net';
import { Client, Pool, buildConnector } from 'undici';
import type { Dispatcher } from 'undici';
import { AddressRefused, type Lookup } from './name-cache.ts';

/** What decides whether two backends may share connections. */
export interface PoolSettings {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly connectMs: number;
  readonly caCertificates: string | undefined;
  readonly serverName: string | undefined;
}

/** Sockets to one upstream. Beyond these, requests wait for one: an upstream that needs more is overloaded. */
const connectionsMax = 1_024;
/** Shorter than what common servers allow (nginx 75 s, Node 5 s says so in a header), so that dead sockets are rare. */
const keepAliveMs = 30_000;
const keepAliveMaxMs = 600_000;

/** Takes requests. */
export type Sender = Pick<Dispatcher, 'dispatch'>;

/** Connections to one upstream. */
export interface UpstreamPool extends Sender {
  /** Sends over a connection of the request's own, which nothing has used before. */
  readonly fresh: Sender;
  /** Resolves when all requests have ended. */
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/** Opens a pool. `lookup` resolves names to allowed addresses; `allows` judges literal ones. */
export function openPool(settings: PoolSettings, lookup: Lookup, allows: (address: string) => boolean): UpstreamPool {
  const options = optionsOf(settings, lookup, allows);
  const pool = new Pool(settings.origin, { ...options, connections: connectionsMax });
  return {
    dispatch: (request, handler) => pool.dispatch(request, handler),
    fresh: freshSender(settings.origin, options),
    close: () => pool.close(),
    destroy: () => pool.destroy(),
  };
}

/** Opens a connection for each request, which is closed behind it. */
export function openFresh(settings: PoolSettings, lookup: Lookup, allows: (address: string) => boolean): Sender {
  return freshSender(settings.origin, optionsOf(settings, lookup, allows));
}

function freshSender(origin: string, options: Client.Options): Sender {
  return {
    dispatch(request, handler) {
      const client = new Client(origin, options);
      const taken = client.dispatch(request, handler);
      void client.close();
      return taken;
    },
  };
}

function optionsOf(settings: PoolSettings, lookup: Lookup, allows: (address: string) => boolean): Client.Options {
  return {
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMaxMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    // Said to the pool too: while one that may meet HTTP/2 waits for its first handshake, all other requests wait for that.
    allowH2: false,
    connect: createConnector(settings, lookup, allows),
  };
}

/** Opens sockets to one upstream, with addresses checked. */
export function createConnector(
  settings: PoolSettings,
  lookup: Lookup,
  allows: (address: string) => boolean,
): buildConnector.connector {
  const connect = buildConnector({
    // HTTP/2 is off: aborted requests leak in undici's h2 client (nodejs/undici#5566).
    allowH2: false,
    timeout: settings.connectMs,
    keepAlive: true,
    noDelay: true,
    lookup,
    ...(settings.caCertificates === undefined ? {} : { ca: settings.caCertificates }),
    ...(settings.serverName === undefined ? {} : { servername: settings.serverName }),
  });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !allows(host)) {
      callback(new AddressRefused(`the address ${host} is not allowed`), null);
      return;
    }
    connect(options, (...result) => {
      // The error of a dead socket says how much it had carried: that is how a reused one is told from a fresh one.
      const [, socket] = result;
      socket?.once('error', (error: Error & { bytesRead?: number }) => (error.bytesRead = socket.bytesRead));
      callback(...result);
    });
  };
}
