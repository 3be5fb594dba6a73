// A private Redis server for tests: on a free loopback port, without persistence, and ended by its process id. It can be
// frozen, killed and started again empty on the same port.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** A Redis server of the test's own. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** For the test itself: patient, and reconnects. */
  readonly admin: Redis;
  /** Freezes the process: it accepts connections and answers nothing. */
  pause(): void;
  resume(): void;
  /** Ends the process at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, empty, on the same port. */
  restart(): Promise<void>;
  /** Ends everything. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a server; `settings` are further command line settings (`['--maxmemory', '4mb']`). */
export async function startRedis(program: string, settings: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  const server = new RedisProcess(program, port, settings);
  await server.restart();
  return server;
}

/** Starts a sentinel that alone decides over a master, and quickly. Its `admin` speaks to the sentinel. */
export async function startSentinel(program: string, master: TestRedis): Promise<TestRedis> {
  const of = (setting: string, value: string | number): string => `sentinel ${setting} main ${value}`;
  const lines = [`sentinel monitor main 127.0.0.1 ${master.port} 1`, of('down-after-milliseconds', 500)];
  const file = [...lines, of('failover-timeout', 3000), ''].join('\n');
  const sentinel = new RedisProcess(program, await freePort(), ['--sentinel'], file);
  await sentinel.restart();
  // It asks what servers are every ten seconds, and would be waited for. Older ones cannot be told otherwise.
  await sentinel.admin.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', '500').catch(() => undefined);
  return sentinel;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

class RedisProcess implements TestRedis {
  readonly port: number;
  readonly url: string;
  readonly admin: Redis;
  readonly #program: string;
  readonly #settings: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-redis-'));
  readonly #file: string | undefined;
  #process: ChildProcess | undefined;

  constructor(program: string, port: number, settings: readonly string[], file?: string) {
    this.#program = program;
    this.#settings = settings;
    this.#file = file;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    // As often as it takes: a server that is restarted on a busy machine is away for a while.
    const patience = { retryStrategy: () => 20, maxRetriesPerRequest: null };
    this.admin = new Redis({ host: '127.0.0.1', port, lazyConnect: true, ...patience });
    this.admin.on('error', () => {});
  }

  async restart(): Promise<void> {
    const plain = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const own = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];
    // Only sentinels need a configuration file, and they know none of the other settings.
    const path = join(this.#folder, 'redis.conf');
    if (this.#file !== undefined) writeFileSync(path, this.#file);
    const settings = this.#file === undefined ? [...plain, ...own] : [path, ...plain];
    this.#process = spawn(this.#program, [...settings, ...this.#settings], { stdio: 'ignore' });
    if (this.admin.status === 'wait') await this.admin.connect().catch(() => {});
    // Commands wait in the client until the server answers.
    await this.admin.ping();
  }

  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const exited = once(running, 'exit');
    running.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    this.admin.disconnect();
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
