// The link between this machine and a node, and the routes over it: tests on the machine reach API server, pods and
// Services.

import { run } from '../run.ts';
import { type Holder, inside } from './namespaces.ts';
import { nodesMax, type NodePlace, placeOf, ranges } from './place.ts';

/** The first number whose addresses nobody has, and no other node is about to have. */
export async function freeNumber(name: string, taken: readonly number[]): Promise<number> {
  const routes = (await run('ip', ['-4', 'route', 'show', 'table', 'all'])).split('\n');
  const routed = new Set(routes.flatMap((line) => line.split(' ')));
  for (let number = 0; number < nodesMax; number++) {
    const { hostAddress, podRange, serviceRange } = placeOf(name, number);
    const isTaken = taken.includes(number) || [hostAddress, podRange, serviceRange].some((one) => routed.has(one));
    if (!isTaken) return number;
  }
  throw new Error(`there are ${nodesMax} nodes on this machine, or others have their addresses`);
}

/** Makes the link. */
export async function connect(place: NodePlace, holder: Holder): Promise<void> {
  const { link, nodeAddress, hostAddress, podRange, serviceRange } = place;
  await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid)]);
  const [command = '', ...args] = inside(holder, [
    'sh',
    '-ec',
    `ip link set lo up
     ip addr add ${nodeAddress}/${ranges.link} dev eth0
     ip link set eth0 up
     ip route add default via ${hostAddress}
     echo 1 > /proc/sys/net/ipv4/ip_forward`,
  ]);
  await run(command, args);
  await run('ip', ['addr', 'add', `${hostAddress}/${ranges.link}`, 'dev', link]);
  await run('ip', ['link', 'set', link, 'up']);
  for (const range of [podRange, serviceRange]) await run('ip', ['route', 'add', range, 'via', nodeAddress]);
}

/** Removes the link, and with it the routes; the kernel does so by itself a moment after the node has ended. */
export async function disconnect({ link }: NodePlace): Promise<void> {
  await run('sh', [
    '-c',
    'ip link show "$1" >/dev/null 2>&1 || exit 0; ip link del "$1" || ! ip link show "$1"',
    'x',
    link,
  ]);
}
