// Upstreams that run on this machine in the place of real providers: the quickstart works without any account, and two
// of the three show what the third is there for, since it always fails.

import { StartFailure } from '../../../proxy/command-line/failures.ts';
import { startStandIn, type StandIn } from './server.ts';

/** Names of the stand-ins, in the order of their ports. */
export const standInNames = ['gpt35turbo', 'gpt4', 'dud'] as const;

/** Pieces of a streamed answer come at about the pace of a real model. */
const pieceMs = 30;

/** Running stand-ins. */
export interface StandIns extends AsyncDisposable {
  /** Each with its base URL. */
  readonly names: readonly string[];
}

/** Starts all three on consecutive ports of loopback. Throws StartFailure. */
export async function startStandIns(firstPort: number, now: () => number): Promise<StandIns> {
  const started: StandIn[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((standIn) => standIn.close()));
  };
  try {
    for (const [index, name] of standInNames.entries()) {
      started.push(await startStandIn({ name, port: firstPort + index, broken: name === 'dud', pieceMs, now }));
    }
  } catch (error) {
    await stop();
    const { code, message } = error as NodeJS.ErrnoException;
    const port = firstPort + started.length;
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be used: ${message}`;
    const advice = `stop what listens there, or give three other ports with --stand-ins FIRST-PORT and in the endpoints of the files`;
    throw new StartFailure(`127.0.0.1:${port}, for the stand-in ${standInNames[started.length]}, ${why}: ${advice}`, {
      cause: error,
    });
  }
  return { names: started.map(({ name, url }) => `${name} ${url}`), [Symbol.asyncDispose]: stop };
}
