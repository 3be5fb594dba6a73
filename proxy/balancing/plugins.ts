// Plugins: modules that order the candidates of a rule. They run in a thread of their own, so that one which blocks stops
// no request for longer than its time: the thread is ended and begun anew, and meanwhile chance decides.

import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../canonical/clock.ts';
import type { FromPlugin, PluginCandidate, PluginRequest, ToPlugin } from './plugin-protocol.ts';

/** A thread that does not say for so long that it still turns is blocked. */
const blockedMs = 250;

/** A thread that ends is begun anew no sooner: a module that breaks it at once must not keep a core busy. */
const restartMs = 1_000;

/** Questions under way: more wait for a thread that is too slow anyway. */
const pendingMax = 1_024;

/** Plugins are small; one that collects things ends its thread and not the proxy. */
const heapMegabytesMax = 128;

/** How a question to a plugin came out. */
export type PluginOutcome = 'ordered' | 'failed' | 'timeout' | 'unavailable';

/** A question to a plugin. */
export interface PluginQuestion {
  /** Path inside the folder of plugins. */
  readonly module: string;
  readonly timeoutMs: number;
  readonly request: PluginRequest;
  readonly candidates: readonly PluginCandidate[];
}

/** Orders candidates. */
export interface Plugins {
  /** Names of candidates, the first ones first; undefined where the plugin did not say in time. Never rejects. */
  order(question: PluginQuestion): Promise<readonly string[] | undefined>;
  /** Modules will be asked soon: their thread begins, and loads them. */
  prepare(modules: readonly string[]): void;
  close(): Promise<void>;
}

/** What plugins stand on. */
export interface PluginsSettings {
  /** Modules are loaded from here and from nowhere else; undefined: there are none. */
  readonly folder: string | undefined;
  readonly clock: Clock;
  /** Hears of each question. `message` says what went wrong, in the words of the plugin. */
  readonly asked: (module: string, outcome: PluginOutcome, message?: string) => void;
}

interface Pending {
  readonly settle: (names: readonly string[] | undefined, outcome: PluginOutcome, message?: string) => void;
}

/** Makes the host of plugins; its thread begins when there is something to ask. */
export function createPlugins(settings: PluginsSettings): Plugins {
  return new PluginThread(settings);
}

class PluginThread implements Plugins {
  readonly #settings: PluginsSettings;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #startedAtMs = -Infinity;
  #watch: Timer | undefined;
  #last = 0;
  #closed = false;

  constructor(settings: PluginsSettings) {
    this.#settings = settings;
  }

  order({ module, timeoutMs, request, candidates }: PluginQuestion): Promise<readonly string[] | undefined> {
    const { clock, asked } = this.#settings;
    const worker = this.#pending.size < pendingMax ? this.#thread() : undefined;
    if (worker === undefined) {
      asked(module, 'unavailable', this.#settings.folder === undefined ? 'there is no folder of plugins' : undefined);
      return Promise.resolve(undefined);
    }
    const id = (this.#last += 1);
    return new Promise((resolve) => {
      const timer = clock.setTimer(timeoutMs, () => {
        this.#pending.get(id)?.settle(undefined, 'timeout');
        this.#watchOver(worker);
      });
      this.#pending.set(id, {
        settle: (names, outcome, message) => {
          timer.cancel();
          this.#pending.delete(id);
          asked(module, outcome, message);
          resolve(names);
        },
      });
      this.#tell(worker, { type: 'order', id, module, request, candidates });
    });
  }

  prepare(modules: readonly string[]): void {
    if (modules.length === 0) return;
    const worker = this.#thread();
    for (const module of modules) if (worker !== undefined) this.#tell(worker, { type: 'load', module });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  #thread(): Worker | undefined {
    const { folder, clock } = this.#settings;
    if (this.#worker !== undefined || folder === undefined || this.#closed) return this.#worker;
    const now = clock.now();
    if (now - this.#startedAtMs < restartMs) return undefined;
    this.#startedAtMs = now;
    // No environment: it holds what is none of a plugin's business. What it prints goes nowhere.
    const worker = new Worker(new URL('./plugin-worker.ts', import.meta.url), {
      workerData: { folder },
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
    });
    worker.stdout.resume();
    worker.stderr.resume();
    worker.unref();
    worker.on('message', (message: FromPlugin) => this.#hear(message));
    worker.on('error', (error: Error) => this.#lost(worker, error.message));
    worker.on('exit', () => this.#lost(worker, 'the thread of plugins has ended'));
    this.#worker = worker;
    return worker;
  }

  #hear(message: FromPlugin): void {
    this.#watch?.cancel();
    this.#watch = undefined;
    if (message.type === 'ordered') this.#pending.get(message.id)?.settle(message.names, 'ordered');
    if (message.type === 'failed') this.#pending.get(message.id)?.settle(undefined, 'failed', message.message);
  }

  /** Slow is one thing, blocked another: who is only slow says so at once. */
  #watchOver(worker: Worker): void {
    if (this.#watch !== undefined || worker !== this.#worker) return;
    this.#tell(worker, { type: 'ping' });
    this.#watch = this.#settings.clock.setTimer(blockedMs, () => {
      this.#lost(worker, 'the thread of plugins was blocked, and is begun anew');
      void worker.terminate();
    });
  }

  #lost(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#watch?.cancel();
    this.#watch = undefined;
    for (const { settle } of this.#pending.values()) settle(undefined, 'failed', message);
  }

  #tell(worker: Worker, message: ToPlugin): void {
    worker.postMessage(message);
  }
}
