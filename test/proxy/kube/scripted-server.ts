// An API server that does what a test tells it to, connection by connection, without a socket.

import { PassThrough } from 'node:stream';
import type { ApiFailure } from '../../../proxy/kube/api-failure.ts';
import { asApiFailure } from '../../../proxy/kube/api-failure.ts';
import type { ApiServer } from '../../../proxy/kube/api-server.ts';

/** One question that was asked. */
export class Connection {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly bytes = new PassThrough();
  /** Resolves when the question is over, for whoever asked. */
  readonly over: Promise<void>;
  readonly #answered = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();

  constructor(path: string, signal: AbortSignal) {
    this.path = path;
    this.signal = signal;
    this.over = this.#over.promise;
    signal.addEventListener('abort', () => this.fail(signal.reason as Error), { once: true });
  }

  /** Answers with 200. */
  accept(): void {
    this.#answered.resolve();
  }

  /** Answers, and sends events. */
  send(...events: readonly object[]): void {
    this.accept();
    for (const event of events) this.bytes.write(`${JSON.stringify(event)}\n`);
  }

  /** Ends the answer as it should be ended. */
  end(): void {
    this.accept();
    this.bytes.end();
  }

  /** Does not answer, or breaks off. */
  fail(error: Error): void {
    this.#answered.reject(error);
    this.bytes.destroy(error);
  }

  async serve<T>(read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    this.bytes.on('error', () => undefined);
    try {
      await this.#answered.promise;
      return await read(this.bytes);
    } catch (error) {
      throw asApiFailure(error) satisfies ApiFailure;
    } finally {
      this.#over.resolve();
    }
  }
}

/** The server, and every connection that it has had. */
export class ScriptedServer implements ApiServer {
  readonly connections: Connection[] = [];

  ask<T>(
    { path, signal }: { readonly path: string; readonly signal: AbortSignal },
    read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    const connection = new Connection(path, signal);
    this.connections.push(connection);
    return connection.serve(read);
  }

  /** The connection that was opened last. */
  get last(): Connection {
    return this.connections.at(-1)!;
  }
}

/** An event of a watch. */
export function event(type: string, object: object = {}): object {
  return { type, object };
}
