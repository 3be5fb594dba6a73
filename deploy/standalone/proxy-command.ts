// `sluice proxy`: the data plane alone, loaded only when it is asked for.

import type { Environment } from '../../proxy/command-line/options.ts';

/** Hands over to the proxy, which reads its own flags. Returns the exit code. */
export async function runProxyCommand(
  args: readonly string[],
  environment: Environment,
  stop: AbortSignal,
): Promise<number> {
  const { runProxy } = await import('../../proxy/main.ts');
  return runProxy(args, environment, stop);
}
