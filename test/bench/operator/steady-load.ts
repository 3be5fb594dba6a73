// Load through all proxies, as a process of its own.

import { setTimeout as delay } from 'node:timers/promises';
import type { LoadPlan, LoadResult } from './load.ts';
import type { Rig } from './rig.ts';

/** Requests to each proxy. */
const perSecond = 50;
const streamEvery = 10;

/** Load that goes on until it is ended. */
export interface SteadyLoad {
  end(): Promise<LoadResult>;
}

/** Starts it. `name` names its log. */
export async function startLoad({ start, proxies }: Rig, name: string, asks: LoadPlan['asks']): Promise<SteadyLoad> {
  const plan: LoadPlan = { urls: proxies.map(({ url }) => url), perSecond, asks, streamEvery };
  const program = await start(name, 'test/bench/operator/load.ts', [JSON.stringify(plan)]);
  await program.says(/^asking$/m);
  return {
    async end() {
      await program.stop();
      const [line = ''] = /^\{.*\}$/m.exec(await program.output()) ?? [];
      return JSON.parse(line) as LoadResult;
    },
  };
}

/** Load for a while. */
export async function loadFor(
  rig: Rig,
  { name, asks, seconds }: { readonly name: string; readonly asks: LoadPlan['asks']; readonly seconds: number },
): Promise<LoadResult> {
  const load = await startLoad(rig, name, asks);
  await delay(seconds * 1000);
  return load.end();
}
