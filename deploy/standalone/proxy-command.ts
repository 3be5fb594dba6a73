// `sluice proxy`: the data plane alone, loaded only when it is asked for.

import { StartFailure } from './failures.ts';
import type { Environment } from './load/variables.ts';

/** What proxy/main.ts offers besides being a program of its own. */
interface ProxyMain {
  readonly runProxy: (args: readonly string[], environment: Environment) => Promise<number>;
}

/** Hands over to the proxy, which reads its own flags and handles its own signals. Returns the exit code. */
export async function runProxyCommand(args: readonly string[], environment: Environment): Promise<number> {
  const path = new URL('../../proxy/main.ts', import.meta.url).href;
  const main = (await import(path).catch((cause: unknown) => {
    throw new StartFailure('this installation has no proxy of its own; use sluice run', { cause });
  })) as ProxyMain;
  return main.runProxy(args, environment);
}
