// Speaks as much HTTPS as a watch needs, and breaks it in every way that a test asks for. What the API server means by its
// answers is tested with a real one (test/integration/operator).

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Folder } from '../../deploy/folder.ts';

/** Answers one request. */
export type Script = (response: ServerResponse, request: IncomingMessage) => void;

/** A request that came in. */
export interface Received {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly userAgent: string | undefined;
  /** Common name of the client's certificate. */
  readonly client: string | undefined;
  readonly atMs: number;
}

/** The server. */
export interface ScriptedApiServer extends AsyncDisposable {
  readonly port: number;
  readonly received: readonly Received[];
  /** What comes next: the first script answers the first request, the last one all that follow. */
  script(...scripts: readonly Script[]): void;
  /** Connections that are open. */
  connections(): number;
  /** Ends all connections without a word. */
  cut(): void;
}

/** Makes an authority and what it vouches for: `server`, for the host `kubernetes`, and `client`; NAME.pem and NAME.key. */
export function makeCertificates(openssl: string, folder: Folder): void {
  const run = (...args: readonly string[]): void => void execFileSync(openssl, args, { stdio: 'ignore' });
  const newKey = (name: string): readonly string[] => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    folder.at(`${name}.key`),
  ];
  run('req', '-x509', ...newKey('ca'), '-subj', '/CN=authority', '-days', '2', '-out', folder.at('ca.pem'));
  for (const [name, host] of [
    ['server', 'kubernetes'],
    ['client', 'nobody'],
  ] as const) {
    const signed = ['-CA', folder.at('ca.pem'), '-CAkey', folder.at('ca.key'), '-addext', `subjectAltName=DNS:${host}`];
    run(
      'req',
      '-x509',
      ...newKey(name),
      '-subj',
      `/CN=${name}`,
      ...signed,
      '-days',
      '2',
      '-out',
      folder.at(`${name}.pem`),
    );
  }
}

/** Starts it with the certificates of a folder. */
export async function startScriptedApiServer(folder: Folder): Promise<ScriptedApiServer> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let scripts: Script[] = [];
  const read = (name: string): Buffer => readFileSync(folder.at(name));
  const server = createServer(
    {
      cert: read('server.pem'),
      key: read('server.key'),
      ca: read('ca.pem'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const { url = '', headers } = request;
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      const client = typeof subject?.CN === 'string' ? subject.CN : undefined;
      const { authorization, 'user-agent': userAgent } = headers;
      received.push({ url, authorization, userAgent, client, atMs: performance.now() });
      const script = scripts.length > 1 ? scripts.shift() : scripts[0];
      script?.(response, request);
    },
  );
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    received,
    script: (...next) => void (scripts = [...next]),
    connections: () => sockets.size,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A watch that says these events and stays open. */
export function watching(...events: readonly object[]): Script {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const event of events) response.write(`${JSON.stringify(event)}\n`);
  };
}

/** An answer with nothing behind it. */
export function answering(
  status: number,
  body: object | string = '',
  headers: Readonly<Record<string, string>> = {},
): Script {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}
