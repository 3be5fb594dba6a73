// `sluice proxy`: the data plane alone, loaded only when it is asked for.

import { existsSync } from 'node:fs';
import { StartFailure } from './failures.ts';
import type { Environment } from './load/variables.ts';

interface ProxyMain {
  readonly runProxy: (args: readonly string[], environment: Environment) => Promise<number>;
}

const main = new URL('../../proxy/main.ts', import.meta.url);

/** Hands over to the proxy, which reads its own flags and handles its own signals. Returns the exit code. */
export async function runProxyCommand(args: readonly string[], environment: Environment): Promise<number> {
  if (!existsSync(main)) throw new StartFailure('this installation has no proxy of its own; use sluice run');
  const { runProxy } = (await import(main.href)) as ProxyMain;
  return runProxy(args, environment);
}
