// An admin port on a real socket, over sources that a test can turn, and requests with whatever headers it likes.

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { createAdmin, type Admin, type AdminOptions } from '../../../proxy/admin/admin.ts';
import type { AdminSources } from '../../../proxy/admin/sources.ts';
import type { AdminState, BackendState } from '../../../proxy/admin/state.ts';
import { systemClock } from '../../../proxy/system-clock.ts';

/** A backend that is fine. */
export const azure: BackendState = {
  id: 'team-a/chat/azure',
  route: 'team-a/chat',
  name: 'azure',
  provider: 'team-a/azure',
  model: 'gpt-4o',
  inFlight: 2,
  waiting: 1,
  health: 0.9,
  failingPercent: 10,
  firstContentMs: 420,
  responseMs: undefined,
  state: 'enabled',
  models: [],
};

/** A proxy that is up, with one backend and one key. */
export const state: AdminState = {
  inFlight: 3,
  overload: { shedShare: 0.25, shed: { 'event-loop': 7 } },
  store: { kind: 'memory', state: 'ok', sinceMs: 0, proxies: 1, detail: undefined },
  backends: [azure],
  keys: [{ id: 'team-a/key', provider: 'team-a/azure', state: 'enabled', models: [] }],
};

/** Sources that answer with the above and note every change. */
export function newSources(changes: unknown[][] = []): AdminSources {
  return {
    readiness: () => ({ ready: true }),
    config: () => ({ revision: 7, digest: 'd'.repeat(64), className: 'default', servedSinceMs: 0 }),
    state: () => state,
    metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: Buffer.from('sluice_up 1\n') }),
    disableBackend: (...change) => void changes.push(['disable', ...change]),
    enableBackend: (...change) => void changes.push(['enable', ...change]),
  };
}

/** What was logged. */
export interface Logged {
  readonly level: 'info' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** An answer of the admin port. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
}

/** A request to the admin port; no header is added. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A running admin port. */
export interface RunningAdmin {
  readonly admin: Admin;
  readonly port: number;
  readonly logged: readonly Logged[];
  readonly ask: (path: string, asked?: Asked) => Promise<Answered>;
  /** Sends bytes as they are; the first line of the answer. */
  readonly askRaw: (bytes: string) => Promise<string>;
}

/** Starts an admin port on a free port; the caller closes `admin`. */
export async function startAdmin(options: Partial<AdminOptions> = {}): Promise<RunningAdmin> {
  const logged: Logged[] = [];
  const admin = createAdmin({
    host: '127.0.0.1',
    port: 0,
    token: undefined,
    sources: newSources(),
    clock: systemClock,
    log: {
      info: (fields, message) => void logged.push({ level: 'info', fields, message }),
      error: (fields, message) => void logged.push({ level: 'error', fields, message }),
    },
    ...options,
  });
  const { port } = await admin.listen();
  return { admin, port, logged, ask: (path, asked) => ask(port, path, asked), askRaw: (bytes) => askRaw(port, bytes) };
}

async function ask(port: number, path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answered> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: { host: `127.0.0.1:${port}`, ...headers },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = response.headers['content-type']?.startsWith('application/json') === true;
        const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    request.end(body);
  });
}

async function askRaw(port: number, bytes: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text.split('\r\n', 1)[0] ?? ''));
  });
}
