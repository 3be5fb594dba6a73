// Who the operator is to the API server, and how it is reached. The only file that knows client-node, which reads
// kubeconfigs, ServiceAccount mounts, exec plugins and OIDC.

import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import { KubeConfig, loadYaml, type User } from '@kubernetes/client-node';

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
  /** Reads everything anew: a token or certificate was refused. Never throws: what cannot be read stays as it is. */
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
      try {
        // client-node keeps tokens of files and plugins for a while; a new configuration keeps none.
        config = loadConfig(source);
      } catch {
        // A file that is being written is whole when the next request is refused.
      }
    },
  };
}

function loadConfig(source: CredentialsSource): KubeConfig {
  const config = new KubeConfig();
  try {
    if (source.type === 'in-cluster') config.loadFromCluster();
    else loadFile(config, source.path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${describeSource(source)} cannot be used: ${why}`, { cause });
  }
  return config;
}

/** client-node does not know `tokenFile`, which client-go does; a ServiceAccount's mount is the same to it by another name. */
function loadFile(config: KubeConfig, path: string): void {
  config.loadFromFile(path);
  const { users = [] } = loadYaml<{ readonly users?: readonly RawUser[] }>(readFileSync(path, 'utf8'));
  const tokenFiles = new Map(users.map(({ name, user }) => [name, user?.tokenFile]));
  config.users = config.users.map((user) => {
    const tokenFile = tokenFiles.get(user.name);
    return tokenFile === undefined ? user : withTokenFile(user, resolve(dirname(path), tokenFile));
  });
}

interface RawUser {
  readonly name: string;
  readonly user?: { readonly tokenFile?: string };
}

/** A file is newer than a token beside it: kubectl's rule. */
function withTokenFile(user: User, tokenFile: string): User {
  const { token: _, ...others } = user;
  return { ...others, authProvider: { name: 'tokenFile', config: { tokenFile } } };
}

function describeSource(source: CredentialsSource): string {
  return source.type === 'in-cluster' ? 'the ServiceAccount of the pod' : `the kubeconfig ${source.path}`;
}

async function readIdentity(config: KubeConfig): Promise<Identity> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
  const headers: Record<string, string> = { ...(options.headers as Readonly<Record<string, string>> | undefined) };
  // Editors end a file with a newline, which no header may hold.
  if (headers['Authorization'] !== undefined) headers['Authorization'] = headers['Authorization'].trim();
  if (typeof auth === 'string') headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  const given = Object.entries({ ca, cert, key, servername, rejectUnauthorized }).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return { headers, tls: Object.fromEntries(given) as TlsSettings };
}
