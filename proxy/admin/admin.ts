// The admin port: health, metrics, which configuration is served, what is disabled, and a person's hand on it. Plain
// node:http: eight paths need no framework, and nothing here may depend on what the data port does.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../canonical/clock.ts';
import { createAccessRules, type AccessHeaders, type AccessRules } from './access.ts';
import { AdminError } from './admin-error.ts';
import { readJsonBody } from './request-body.ts';
import { createRouteTable, type RouteTable } from './route-table.ts';
import { createRoutes, type AdminAnswer, type AdminRoute } from './routes.ts';
import type { AdminLog, AdminSources } from './sources.ts';

/** Probes, a scraper or two, the operator, some people: more is somebody holding connections. */
const connectionsMax = 512;

/** All requests here are small and all clients near: who takes longer keeps a connection from others. */
const headersTimeoutMs = 5000;
const requestTimeoutMs = 10_000;

/** Longer than the pause between two scrapes of an eager Prometheus would keep dead connections around. */
const idleTimeoutMs = 30_000;

/** Path, token and a few headers of a client's own. */
const headerBytesMax = 8192;

/** Answers that are under way at the end get this long. */
const closeMs = 1000;

/** What the admin port is made of. */
export interface AdminOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Protects what tells or changes something; undefined or empty = none. */
  readonly token: string | undefined;
  readonly sources: AdminSources;
  readonly clock: Clock;
  readonly log: AdminLog;
}

/** The admin port. */
export interface Admin {
  /** Every path, with who may ask for it. */
  readonly routes: readonly AdminRoute[];
  /** Starts listening; the port that it got. */
  listen(): Promise<{ readonly host: string; readonly port: number }>;
  /** Stops listening and ends all connections. The last thing to be closed: probes ask while the proxy drains. */
  close(): Promise<void>;
}

/** Makes the admin port. */
export function createAdmin({ host, port, token, sources, clock, log }: AdminOptions): Admin {
  const routes = createRoutes(sources, log);
  const table = createRouteTable(routes);
  const rules = createAccessRules({ host, token });
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: headerBytesMax,
    },
    (request, response) => void serve({ request, response, table, rules, log }),
  );
  server.maxConnections = connectionsMax;
  server.timeout = idleTimeoutMs;
  return {
    routes,
    listen: () => listen(server, host, port),
    close: () => close(server, clock),
  };
}

interface Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly table: RouteTable;
  readonly rules: AccessRules;
  readonly log: AdminLog;
}

async function serve({ request, response, table, rules, log }: Served): Promise<void> {
  try {
    send(response, await answer(request, table, rules));
  } catch (error) {
    // The client left: there is nobody to answer and nothing to report.
    if (response.destroyed) return;
    const known = error instanceof AdminError ? error : new AdminError('internal_error');
    // Never the query: tools put tokens there.
    if (error !== known) log.error({ error, method: request.method, path: pathOf(request) }, 'admin request failed');
    if (known.code === 'token_required') response.setHeader('www-authenticate', 'Bearer realm="sluice admin"');
    if (known.code === 'method_not_allowed') response.setHeader('allow', table.methodsOf(pathOf(request)).join(', '));
    // An unread body would otherwise be taken for the next request, or waited for.
    if (!request.complete) response.setHeader('connection', 'close');
    const { code, message, status } = known;
    send(response, { type: 'json', status, body: { error: { code, message } } });
  }
}

async function answer(request: IncomingMessage, table: RouteTable, rules: AccessRules): Promise<AdminAnswer> {
  const headers = accessHeadersOf(request);
  refuse(rules.checkHost(headers));
  const path = pathOf(request);
  const found = table.find(request.method === 'HEAD' ? 'GET' : (request.method ?? ''), path);
  if (found === undefined) {
    throw new AdminError(table.methodsOf(path).length > 0 ? 'method_not_allowed' : 'path_not_found');
  }
  refuse(rules.checkAccess(headers, found.route.access));
  const body = found.route.method === 'POST' ? await readJsonBody(request) : undefined;
  return await found.route.handle({ parameters: found.parameters, body });
}

function refuse(error: AdminError | undefined): void {
  if (error !== undefined) throw error;
}

/** The raw path. The absolute form, which names a host of its own, is not taken. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.startsWith('/') ? (url.split('?', 1)[0] ?? '') : '';
}

/** Node keeps the first of two Host headers and joins nothing: two are somebody's trick. */
function accessHeadersOf({ headers, headersDistinct }: IncomingMessage): AccessHeaders {
  const { host, origin, authorization } = headersDistinct;
  for (const values of [host, origin, authorization]) {
    if ((values?.length ?? 0) > 1) throw new AdminError('invalid_request', 'A header stands there twice.');
  }
  return { host: headers.host, origin: origin?.[0], authorization: headers.authorization };
}

function send(response: ServerResponse, answered: AdminAnswer): void {
  const [contentType, body] =
    answered.type === 'json'
      ? ['application/json; charset=utf-8', Buffer.from(`${JSON.stringify(answered.body)}\n`)]
      : [answered.contentType, answered.body];
  response.writeHead(answered.status, {
    'content-type': contentType,
    'content-length': body.byteLength,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

async function listen(server: Server, host: string, port: number): Promise<{ host: string; port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, port: bound } = server.address() as AddressInfo;
  return { host: address, port: bound };
}

async function close(server: Server, clock: Clock): Promise<void> {
  const timer = clock.setTimer(closeMs, () => server.closeAllConnections());
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  timer.cancel();
}
