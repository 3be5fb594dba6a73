// Where Redis is, read from one URL. Must not know the client library; what it says for people holds no credentials.

/** One server. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** How to reach Redis. */
export interface RedisAddress {
  readonly type: 'single' | 'sentinel' | 'cluster';
  /** The server, the sentinels, or some nodes of the cluster; never empty. */
  readonly nodes: readonly [RedisNode, ...RedisNode[]];
  /** The name that the sentinels know the master by; empty for the other types. */
  readonly master: string;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Sentinels have credentials of their own: `?sentinelUsername=…&sentinelPassword=…`. */
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly database: number;
}

const forms =
  'redis://HOST, rediss://HOST, redis+sentinel://HOST,HOST/MASTER or redis+cluster://HOST,HOST (rediss+… for TLS)';
const shape =
  /^redis(?<tls>s?)(?:\+(?<type>sentinel|cluster))?:\/\/(?:(?<credentials>[^@/?#]*)@)?(?<hosts>[^/?#@]+)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/;
/** More seeds than this are a mistake: a few are enough to find the rest. */
const nodesMax = 32;

/** Reads a Redis URL. Throws an Error whose message names what is wrong and never repeats the URL: it may hold a password. */
export function parseRedisUrl(url: string): RedisAddress {
  const groups = shape.exec(url.trim())?.groups;
  if (groups === undefined) throw new Error(`the Redis URL must have the form ${forms}`);
  const type = (groups['type'] ?? 'single') as RedisAddress['type'];
  const query = new URLSearchParams(groups['query']);
  return {
    type,
    tls: groups['tls'] === 's',
    nodes: toNodes(type, groups['hosts'] ?? ''),
    ...toPath(type, (groups['path'] ?? '').split('/').slice(1).map(decode)),
    ...toCredentials(groups['credentials']),
    sentinelUsername: query.get('sentinelUsername') ?? undefined,
    sentinelPassword: query.get('sentinelPassword') ?? undefined,
  };
}

/** The address for logs and the console, without credentials. */
export function describeAddress({ type, tls, nodes, master, database }: RedisAddress): string {
  const scheme = `redis${tls ? 's' : ''}${type === 'single' ? '' : `+${type}`}`;
  const hosts = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const path = [master, database === 0 ? '' : String(database)].filter((it) => it !== '').map((it) => `/${it}`);
  return `${scheme}://${hosts}${path.join('')}`;
}

function toNodes(type: RedisAddress['type'], hosts: string): RedisAddress['nodes'] {
  const [first, ...others] = hosts.split(',').map((host) => toNode(host, type === 'sentinel' ? 26379 : 6379));
  if (first === undefined || (type === 'single' && others.length > 0)) {
    throw new Error(`the Redis URL names several hosts; for that it must have the form ${forms}`);
  }
  if (others.length >= nodesMax) throw new Error(`the Redis URL names more than ${nodesMax} hosts`);
  return [first, ...others];
}

function toNode(text: string, defaultPort: number): RedisNode {
  const groups = /^(?:\[(?<six>[0-9A-Fa-f:.]+)\]|(?<host>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups;
  const host = groups?.['six'] ?? groups?.['host'];
  const port = Number(groups?.['port'] ?? defaultPort);
  if (host === undefined || port < 1 || port > 65_535) throw new Error('the Redis URL has a malformed host or port');
  return { host, port };
}

function toPath(type: RedisAddress['type'], path: readonly string[]): Pick<RedisAddress, 'master' | 'database'> {
  const master = type === 'sentinel' ? (path[0] ?? '') : '';
  const [text = '', ...rest] = type === 'sentinel' ? path.slice(1) : path;
  if (type === 'sentinel' && master === '')
    throw new Error('the Redis URL lacks the name of the master after the hosts');
  if (rest.length > 0 || !/^\d{0,4}$/.test(text))
    throw new Error('the Redis URL has a path that is not a database number');
  if (type === 'cluster' && Number(text) !== 0)
    throw new Error('the Redis URL names a database; a cluster has only one');
  return { master, database: Number(text) };
}

function toCredentials(text: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (text === undefined || text === '') return { username: undefined, password: undefined };
  const colon = text.indexOf(':');
  // As in redis-cli, `redis://secret@host` would be a user without password: useless, so it is refused rather than guessed.
  if (colon < 0) throw new Error('the Redis URL has a user but no password; write USER:PASSWORD@ or :PASSWORD@');
  return { username: decode(text.slice(0, colon)) || undefined, password: decode(text.slice(colon + 1)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('the Redis URL has a malformed percent sign');
  }
}
