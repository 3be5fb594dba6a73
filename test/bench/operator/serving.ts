// Since when each proxy serves a revision. The proxies say it themselves (`servedSince`: when the snapshot was swapped), by
// the clock that all processes of the machine share; they are asked until they do, so that how often does not matter.

import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';

/** How soon a proxy is asked again. */
const pollMs = 10;

/** One proxy, as far as it is asked. */
export interface AskedProxy {
  /** `HOST:PORT` */
  readonly admin: string;
}

interface ServedConfig {
  readonly revision: number | null;
  readonly servedSince: string | null;
}

/** Asks proxies which revision they serve. */
export class Serving {
  readonly #agent = new Agent({ keepAliveTimeout: 600_000 });

  /** For each proxy, since when it serves this revision or a later one (Unix milliseconds). */
  async since(proxies: readonly AskedProxy[], revision: number, withinMs: number): Promise<readonly number[]> {
    return Promise.all(proxies.map((proxy) => this.#wait(proxy, revision, performance.now() + withinMs)));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #wait({ admin }: AskedProxy, revision: number, deadlineMs: number): Promise<number> {
    for (;;) {
      const { body } = await request(`http://${admin}/config`, { dispatcher: this.#agent });
      const served = (await body.json()) as ServedConfig;
      if ((served.revision ?? 0) >= revision) return Date.parse(served.servedSince ?? '');
      if (performance.now() > deadlineMs) throw new Error(`${admin} serves ${served.revision}, never ${revision}`);
      await delay(pollMs);
    }
  }
}
