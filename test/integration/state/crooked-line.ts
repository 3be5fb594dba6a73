// A TCP line to a server that can be slow, or swallow everything without closing, as a lost network does.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A line to a local port. */
export interface CrookedLine {
  readonly port: number;
  /** From now on every byte takes so long, each way. */
  delay(ms: number): void;
  /** The connections there are carry nothing any more, and stay open; new ones are accepted and carry nothing either. */
  swallow(): void;
  /** New connections work again; the old ones stay dead. */
  heal(): void;
  close(): Promise<void>;
}

/** Opens a line. */
export async function openLine(toPort: number): Promise<CrookedLine> {
  let delayMs = 0;
  let isSwallowing = false;
  let dead = new WeakSet<Socket>();
  const sockets = new Set<Socket>();

  function carry(from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (dead.has(from) || dead.has(to)) return;
      if (delayMs === 0) to.write(bytes);
      else setTimeout(() => to.write(bytes), delayMs);
    });
    from.on('error', () => {});
    from.on('close', () => to.destroy());
  }

  const server = createServer((near) => {
    const far = connect(toPort, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket.setNoDelay(true));
      socket.on('close', () => sockets.delete(socket));
    }
    if (isSwallowing) dead.add(near);
    carry(near, far);
    carry(far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    delay: (ms) => void (delayMs = ms),
    swallow() {
      isSwallowing = true;
      dead = new WeakSet(sockets);
    },
    heal: () => void (isSwallowing = false),
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
