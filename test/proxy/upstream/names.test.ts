// What becomes of requests when the names of upstreams do: the resolver is away, an address changes, one of several leads
// nowhere. Real connections; time is turned by the test.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import type { Provider } from '../../../proxy/config/snapshot.ts';
import { TestClock } from '../../support/clock.ts';
import { answer } from '../../support/scripts.ts';
import { startUpstream } from '../../support/upstream.ts';
import { providerAt, type Received, UpstreamRig } from './upstream-rig.ts';

const hello = answer('hello', { headers: { 'content-type': 'text/plain' } });
const local = { allowPrivate: true, allowCidrs: ['100::/64', '192.0.2.0/24'] };
const secondMs = 1000;

/** Asks, and once more where the kept connection was dead: as the proxy does. */
async function ask(rig: UpstreamRig, provider: Provider): Promise<Received> {
  const received = await rig.exchange(provider);
  return received.failed?.staleSocket === true ? rig.exchange(provider) : received;
}

it('nothing fails while the resolver is away for five minutes', async () => {
  const clock = new TestClock();
  await using upstream = await startUpstream(hello);
  await using rig = new UpstreamRig(local, clock);
  const provider = providerAt(upstream.baseURL.replace('127.0.0.1', 'upstream.example'));
  expect(await rig.exchange(provider)).toMatchObject({ status: 200 });
  rig.addresses = [];
  for (let second = 10; second <= 300; second += 10) {
    clock.turn(10 * secondMs);
    // A connection of its own each time, so that the name is needed.
    upstream.closeConnections();
    expect(await ask(rig, provider), `after ${second} s`).toMatchObject({ status: 200, failed: undefined });
  }
  expect(rig.lookups).toBeGreaterThan(10);
});

it('a new address is used within 35 seconds', async () => {
  const clock = new TestClock();
  await using upstream = await startUpstream(hello);
  await using rig = new UpstreamRig(local, clock);
  const provider = providerAt(upstream.baseURL.replace('127.0.0.1', 'upstream.example'));
  expect(await rig.exchange(provider)).toMatchObject({ body: 'hello' });
  // The same port at another address of this machine.
  const moved = createServer((_request, response) => response.end('moved')).listen(upstream.port, '127.0.0.2');
  await once(moved, 'listening');
  rig.addresses = [{ address: '127.0.0.2', family: 4 }];
  await upstream.refuse();
  clock.turn(31 * secondMs);
  expect(await ask(rig, provider)).toMatchObject({ status: 200, body: 'moved' });
  moved.close();
});

it.each([
  ['IPv6', { address: '100::1', family: 6 }],
  ['IPv4', { address: '192.0.2.1', family: 4 }],
])('an %s address that leads nowhere does not keep the others waiting', async (_name, nowhere) => {
  await using upstream = await startUpstream(hello);
  await using rig = new UpstreamRig(local);
  rig.addresses = [nowhere, { address: '127.0.0.1', family: 4 }];
  const provider = providerAt(upstream.baseURL.replace('127.0.0.1', 'upstream.example'));
  const begunMs = performance.now();
  expect(await rig.exchange(provider, { connectMs: 20_000 })).toMatchObject({ status: 200 });
  // The next address has its turn after a quarter of a second: https://nodejs.org/api/net.html#socketconnectoptions-connectlistener
  expect(performance.now() - begunMs).toBeLessThan(5000);
});
