// Free ports on loopback that stay free while their server is down.

import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the ports that kernels give to outgoing connections (32768 and up on Linux, 49152 on macOS): a client that keeps
// dialling a dead port among those sooner or later gets it as its own, and is connected with itself.
const portMin = 20_000;
const portMax = 30_000;
const attemptsMax = 100;

/** Finds as many different ports as asked for. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let attempts = 0; ports.size < count; attempts++) {
    if (attempts === attemptsMax) throw new Error(`found no ${count} free ports in ${attemptsMax} attempts`);
    const port = randomInt(portMin, portMax);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
