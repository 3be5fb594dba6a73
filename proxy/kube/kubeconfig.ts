// The API server that a kubeconfig names, for proxies outside a cluster. Takes tokens and client certificates only: programs
// that make credentials have no place in a proxy. Never quotes the file: it holds secrets.
// https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { Cluster, Identity } from './cluster.ts';

type Members = Readonly<Record<string, unknown>>;

/** Ways to be somebody that would be ignored: a proxy that is somebody else than was meant must not start. */
const refusedOfUser = ['exec', 'auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra'];
const refusedOfCluster = ['proxy-url'];

/** Reads the file, and what it refers to once. Rejects with an Error that says what is wrong with it. */
export async function loadKubeconfig(path: string): Promise<Cluster> {
  try {
    const cluster = toCluster(parseFile(await readFile(path, 'utf8')), dirname(path));
    await cluster.identify();
    return cluster;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the kubeconfig ${path} cannot be used: ${why}`, { cause });
  }
}

function parseFile(text: string): Members {
  const document = parseDocument(text, { prettyErrors: false });
  const value: unknown = document.errors.length > 0 ? undefined : document.toJS();
  if (isMembers(value)) return value;
  throw new Error('it is not YAML of that kind');
}

function toCluster(file: Members, directory: string): Cluster {
  const contextName = textOf(file, 'current-context');
  if (contextName === undefined) throw new Error('it names no current-context');
  const context = entryOf(file, 'context', contextName);
  const clusterName = textOf(context, 'cluster') ?? '';
  const userName = textOf(context, 'user') ?? '';
  const cluster = entryOf(file, 'cluster', clusterName);
  // A cluster that asks nobody who they are needs no user.
  const user = userName === '' ? {} : entryOf(file, 'user', userName);
  refuse(`cluster "${clusterName}"`, cluster, refusedOfCluster);
  refuse(`user "${userName}"`, user, refusedOfUser);
  const server = readServer(cluster, user);
  const identify = (): Promise<Identity> => readIdentity(cluster, user, directory);
  return {
    server,
    serverName: textOf(cluster, 'tls-server-name'),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    identify,
  };
}

function readServer(cluster: Members, user: Members): string {
  const server = textOf(cluster, 'server') ?? '';
  const { protocol } = URL.parse(server) ?? {};
  if (protocol !== 'https:' && protocol !== 'http:') throw new Error('its cluster has no server of the form https://…');
  if (protocol === 'http:' && Object.keys(user).length > 0) {
    throw new Error('its server is http://, which would show the credentials of its user to everybody on the way');
  }
  return server.replace(/\/+$/, '');
}

function refuse(what: string, members: Members, names: readonly string[]): void {
  const name = names.find((candidate) => members[candidate] !== undefined && members[candidate] !== null);
  if (name === undefined) return;
  const instead = what.startsWith('user') ? '; use a token, a tokenFile or a client certificate' : '';
  throw new Error(`${what} has ${name}, which a proxy does not support${instead}`);
}

async function readIdentity(cluster: Members, user: Members, directory: string): Promise<Identity> {
  const pem = (members: Members, name: string): Promise<string | undefined> => readPem(members, name, directory);
  const [token, ca, cert, key] = await Promise.all([
    readToken(user, directory),
    pem(cluster, 'certificate-authority'),
    pem(user, 'client-certificate'),
    pem(user, 'client-key'),
  ]);
  return { token, ca, cert, key };
}

/** A file counts before a value, as it does in kubectl: the value may be what the file held once. */
async function readToken(user: Members, directory: string): Promise<string | undefined> {
  const path = textOf(user, 'tokenFile');
  const token = path === undefined ? textOf(user, 'token') : await readFile(resolve(directory, path), 'utf8');
  return token?.trim();
}

/** `NAME-data` holds base64 of what `NAME` would be the path of, and counts before it. */
async function readPem(members: Members, name: string, directory: string): Promise<string | undefined> {
  const data = textOf(members, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const path = textOf(members, name);
  return path === undefined ? undefined : readFile(resolve(directory, path), 'utf8');
}

/** `clusters: [{name, cluster: {…}}]`, and the same of users and contexts. */
function entryOf(file: Members, kind: 'cluster' | 'user' | 'context', name: string): Members {
  const list: unknown = file[`${kind}s`];
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const entry = entries.filter(isMembers).find((candidate) => candidate['name'] === name)?.[kind];
  if (entry === undefined || entry === null) throw new Error(`there is no ${kind} "${name}" in it`);
  if (!isMembers(entry)) throw new Error(`its ${kind} "${name}" is not one`);
  return entry;
}

function textOf(members: Members, name: string): string | undefined {
  const value = members[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
