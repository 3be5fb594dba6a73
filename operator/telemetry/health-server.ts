// The operator's own port: `/healthz` and `/readyz` with named checks in the form of Kubernetes' own components, `/metrics`.
// Open to everyone who reaches it: nothing here tells a secret, and nothing changes anything.
// https://kubernetes.io/docs/reference/using-api/health-checks/

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A named check: undefined if all is well, else why not. */
export type Check = () => string | undefined;

/** What is served. */
export interface HealthOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** A process that fails these should be started anew. */
  readonly health: Readonly<Record<string, Check>>;
  /** A process that fails these is not ready yet. */
  readonly readiness: Readonly<Record<string, Check>>;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** A port that is open. */
export interface HealthServer {
  readonly listening: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

/** Probes, a scraper or two, some people. */
const connectionsMax = 128;
const requestTimeoutMs = 10_000;

/** Opens the port. Rejects where it cannot be had. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const server = createServer(
    { headersTimeout: requestTimeoutMs, requestTimeout: requestTimeoutMs, keepAliveTimeout: 30_000 },
    (request, response) => void serve(request, response, options),
  );
  server.maxConnections = connectionsMax;
  server.listen({ host: options.host, port: options.port });
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    listening: { host: address, port },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, options: HealthOptions): Promise<void> {
  const send = (status: number, text: string, contentType = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, { 'content-type': contentType, 'x-content-type-options': 'nosniff' });
    response.end(text);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'only GET\n');
  const url = URL.parse(request.url ?? '', 'http://operator');
  if (url === null) return send(400, 'not a path\n');
  const [, first = '', name, ...rest] = url.pathname.split('/');
  const checks = new Map([
    ['healthz', options.health],
    ['readyz', options.readiness],
  ]).get(first);
  if (checks !== undefined && rest.length === 0) {
    const { status, text } = runChecks(first, checks, { name, parameters: url.searchParams });
    return send(status, text);
  }
  if (first !== 'metrics' || name !== undefined) return send(404, 'there is /healthz, /readyz and /metrics\n');
  try {
    const { contentType, text } = await options.metrics();
    send(200, text, contentType);
  } catch {
    send(500, 'metrics cannot be read\n');
  }
}

interface ChecksQuery {
  /** One check of all; all where left out. */
  readonly name: string | undefined;
  /** `verbose`, `exclude=NAME`. */
  readonly parameters: URLSearchParams;
}

function runChecks(
  endpoint: string,
  checks: Readonly<Record<string, Check>>,
  { name, parameters }: ChecksQuery,
): { readonly status: number; readonly text: string } {
  const excluded = new Set(parameters.getAll('exclude'));
  const asked = Object.entries(checks).filter(([check]) =>
    name === undefined || name === '' ? !excluded.has(check) : check === name,
  );
  if (asked.length === 0 && name !== undefined && name !== '')
    return { status: 404, text: `there is no check ${name}\n` };
  const lines = asked.map(([check, run]) => {
    const problem = run();
    return problem === undefined ? `[+]${check} ok` : `[-]${check} failed: ${problem}`;
  });
  const failed = lines.some((line) => line.startsWith('[-]'));
  if (failed) return { status: 500, text: `${lines.join('\n')}\n${endpoint} check failed\n` };
  const verbose = parameters.has('verbose');
  return { status: 200, text: verbose ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok' };
}
