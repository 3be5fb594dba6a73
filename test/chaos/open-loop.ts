// Load that does not wait: requests leave on a fixed schedule, whatever became of those before them, as the users of a
// service do. Bytes are made once and answers are read as far as their length, so that the load costs less than what it
// is a load for.

import { connect, type Socket } from 'node:net';

/** What became of one request. Times in milliseconds from when it was due. */
export interface Sample {
  /** 0: the connection broke. */
  readonly status: number;
  readonly afterMs: number;
  /** From when it was sent: without what the client itself was late by. */
  readonly servedMs: number;
  /** The head of the answer, for those that were refused. */
  readonly head: string;
}

/** How a load is sent. */
export interface LoadOptions {
  readonly port: number;
  /** A whole request, head and body, of HTTP/1.1. */
  readonly bytes: Buffer;
  readonly seconds: number;
}

/** The bytes of a request. */
export function requestBytes(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Buffer {
  const json = Buffer.from(JSON.stringify(body));
  const fields = { host: 'a', 'content-type': 'application/json', 'content-length': String(json.length), ...headers };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head.join('')}\r\n`), json]);
}

/** So many per second, evenly, and the samples in the order in which they ended. */
export async function openLoop(options: LoadOptions & { readonly perSecond: number }): Promise<Sample[]> {
  const { seconds, perSecond } = options;
  const pool = new Pool(options);
  const samples: Promise<Sample>[] = [];
  const startedMs = performance.now();
  const total = Math.round(seconds * perSecond);
  await new Promise<void>((resolve) => {
    const tick = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * perSecond));
      while (samples.length < due) samples.push(pool.send(startedMs + (samples.length / perSecond) * 1000));
      if (samples.length < total) return;
      clearInterval(tick);
      resolve();
    }, 2);
  });
  const all = await Promise.all(samples);
  pool.close();
  return all;
}

/** So many at a time, each after the one before: finds out how many there can be in a second. */
export async function closedLoop(options: LoadOptions & { readonly atOnce: number }): Promise<Sample[]> {
  const pool = new Pool(options);
  const samples: Sample[] = [];
  const untilMs = performance.now() + options.seconds * 1000;
  const worker = async (): Promise<void> => {
    while (performance.now() < untilMs) samples.push(await pool.send(performance.now()));
  };
  await Promise.all(Array.from({ length: options.atOnce }, worker));
  pool.close();
  return samples;
}

const lastChunk = Buffer.from('\r\n0\r\n\r\n');

/** An answer as it comes; its first bytes are kept, and of the others only whether they are the last. */
class Answer {
  head = '';
  #bytes = 0;
  #headBytes = -1;
  #length: number | undefined;
  #tail: Buffer = Buffer.alloc(0);

  /** Whether it is whole now. */
  take(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#headBytes === -1 || this.head.length < 2000) this.head += chunk.toString('latin1', 0, 4000);
    if (this.#headBytes === -1) {
      this.#headBytes = this.head.indexOf('\r\n\r\n') + 4;
      if (this.#headBytes === 3) this.#headBytes = -1;
      const length = /\r\ncontent-length: (\d+)/i.exec(this.head.slice(0, this.#headBytes))?.[1];
      if (length !== undefined) this.#length = Number(length);
    }
    if (this.#headBytes === -1) return false;
    if (this.#length !== undefined) return this.#bytes >= this.#headBytes + this.#length;
    this.#tail = Buffer.concat([this.#tail.subarray(-lastChunk.length), chunk.subarray(-lastChunk.length)]);
    return this.#tail.subarray(-lastChunk.length).equals(lastChunk);
  }
}

/** What clients with pools of connections have together: further requests wait, and their time runs. */
const socketsMax = 500;

/** Connections that are kept for the next request. */
class Pool {
  readonly #options: LoadOptions;
  readonly #idle: Socket[] = [];
  readonly #all = new Set<Socket>();
  readonly #waiting: (() => void)[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  async send(dueMs: number): Promise<Sample> {
    while (this.#idle.length === 0 && this.#all.size >= socketsMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const socket = this.#idle.pop() ?? this.#open();
    const sentMs = performance.now();
    return new Promise((resolve) => {
      const answer = new Answer();
      const done = (status: number): void => {
        socket.removeAllListeners('data').removeAllListeners('close');
        if (status === 0 || /^connection: close\r$/im.test(answer.head)) this.#all.delete(socket);
        else this.#idle.push(socket);
        this.#waiting.shift()?.();
        const nowMs = performance.now();
        resolve({ status, afterMs: nowMs - dueMs, servedMs: nowMs - sentMs, head: status === 200 ? '' : answer.head });
      };
      socket.on('data', (chunk: Buffer) => {
        if (answer.take(chunk)) done(Number(answer.head.slice(9, 12)));
      });
      socket.on('close', () => done(0));
      socket.write(this.#options.bytes);
    });
  }

  close(): void {
    for (const socket of this.#all) socket.destroy();
  }

  #open(): Socket {
    const socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined);
    this.#all.add(socket);
    return socket;
  }
}
