// Word of failovers from Sentinel: a master that fell silent is left when another has taken its place, and not when its
// socket has timed out. The library has the same, but ends a connection to the new master too, and gives up for good one
// that is just being made. https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#sentinel-pubsub-messages

import type { Redis } from 'ioredis';

const channel = '+switch-master';

/** Where a server listens, as Sentinel says it. */
export interface ServerPlace {
  readonly host: string;
  readonly port: number;
}

/** Listens at the sentinels over clients of their own, which reconnect by themselves; tells of each new master. */
export function hearOfFailovers(
  sentinels: readonly Redis[],
  master: string,
  onSwitch: (to: ServerPlace) => void,
): void {
  for (const sentinel of sentinels) {
    // A listener must be there, or the library prints every error.
    sentinel.on('error', ignore);
    sentinel.on('ready', () => void sentinel.subscribe(channel).catch(ignore));
    sentinel.on('message', (_channel: string, message: string) => {
      // <name> <old address> <old port> <new address> <new port>
      const [name, , , host = '', port] = message.split(' ');
      if (name === master) onSwitch({ host, port: Number(port) });
    });
  }
}

/** Whether a client is connected to somebody else; one that is not connected asks for the new master by itself. */
export function isElsewhere({ status, stream }: Redis, { host, port }: ServerPlace): boolean {
  // In the status `connect` it waits for what it has told a master that may be silent.
  return (status === 'ready' || status === 'connect') && (stream.remotePort !== port || stream.remoteAddress !== host);
}

function ignore(): void {}
