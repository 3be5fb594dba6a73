// The API server as a proxy sees it: where it is, and who the proxy is to it.

/** What one connection is made with. */
export interface Identity {
  readonly token?: string | undefined;
  /** PEM. Authorities that vouch for the API server; those of the system where left out. */
  readonly ca?: string | undefined;
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The API server. */
export interface Cluster {
  /** Base URL without a trailing slash. */
  readonly server: string;
  /** The name that its certificate must have, where it is not the host's. */
  readonly serverName: string | undefined;
  /** Whether its certificate counts for nothing. */
  readonly insecure: boolean;
  /** Reads what is in files, anew for each connection: tokens are rotated every hour, authorities in their time. */
  identify(): Promise<Identity>;
}
