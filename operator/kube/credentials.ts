// Who the operator is to the API server, and how it is reached. The only file that knows client-node, which reads
// kubeconfigs, ServiceAccount mounts, exec plugins and OIDC.

import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';

/** Where credentials come from: the pod's ServiceAccount, or a file. */
export type CredentialsSource =
  | { readonly type: 'in-cluster' }
  | { readonly type: 'kubeconfig'; readonly path: string };

/** What the TLS connection is made with. */
export interface TlsSettings {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Credentials as of now. */
export interface Identity {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsSettings;
}

/** The way to the API server. */
export interface KubeCredentials {
  /** Base URL, without a trailing slash. */
  readonly server: string;
  /** HTTP proxy that the kubeconfig asks for. */
  readonly proxyURL: string | undefined;
  /** Namespace of the context, or of the pod. */
  readonly namespace: string | undefined;
  identity(): Promise<Identity>;
  /** Reads everything anew: a token or certificate was refused. */
  refresh(): void;
}

/** Files are read again after this long; a token that is rotated stays valid far longer than that. */
const identityMs = 10_000;

/** Loads credentials. Throws an Error that says what is missing. `monotonic` in milliseconds. */
export function loadCredentials(source: CredentialsSource, monotonic: () => number): KubeCredentials {
  let config = loadConfig(source);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${describeSource(source)} names no cluster for its current context`);
  let cached: { readonly identity: Promise<Identity>; readonly atMs: number } | undefined;
  return {
    server: cluster.server.replace(/\/$/, ''),
    proxyURL: cluster.proxyUrl,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    identity() {
      if (cached === undefined || monotonic() - cached.atMs > identityMs) {
        cached = { identity: readIdentity(config), atMs: monotonic() };
        // A file that cannot be read now may be there at the next request.
        cached.identity.catch(() => (cached = undefined));
      }
      return cached.identity;
    },
    refresh() {
      cached = undefined;
      // client-node keeps tokens of files and plugins for a while; a new configuration keeps none.
      config = loadConfig(source);
    },
  };
}

function loadConfig(source: CredentialsSource): KubeConfig {
  const config = new KubeConfig();
  try {
    if (source.type === 'in-cluster') config.loadFromCluster();
    else config.loadFromFile(source.path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${describeSource(source)} cannot be used: ${why}`, { cause });
  }
  return config;
}

function describeSource(source: CredentialsSource): string {
  return source.type === 'in-cluster' ? 'the ServiceAccount of the pod' : `the kubeconfig ${source.path}`;
}

async function readIdentity(config: KubeConfig): Promise<Identity> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
  const headers: Record<string, string> = { ...(options.headers as Readonly<Record<string, string>> | undefined) };
  if (typeof auth === 'string') headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  const given = Object.entries({ ca, cert, key, servername, rejectUnauthorized }).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return { headers, tls: Object.fromEntries(given) as TlsSettings };
}
