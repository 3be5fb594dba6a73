// A proxy's state in a process of its own, driven by messages: nothing can be shared by accident.

import { createProxy } from './redis-fleet.ts';

/** What the process is told. */
export type ToRemote =
  | { readonly do: 'start'; readonly url: string; readonly proxyId: string; readonly skewMs: number }
  | { readonly do: 'disable'; readonly target: string }
  | { readonly do: 'lease'; readonly name: string; readonly ttlMs: number }
  | { readonly do: 'close' };

/** What it says. Times are of the machine's monotonic clock, which all processes share. */
export type FromRemote =
  | { readonly did: 'start'; readonly known: readonly string[] }
  | { readonly did: 'lease'; readonly scope: string | undefined; readonly atMs: number }
  | { readonly did: 'learn'; readonly target: string; readonly atMs: number; readonly remainingMs: number };

/** Milliseconds by the clock that all processes of the machine share. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function say(message: FromRemote): void {
  process.send?.(message);
}

function serve(): void {
  let proxy: ReturnType<typeof createProxy> | undefined;

  async function start(options: Extract<ToRemote, { do: 'start' }>): Promise<void> {
    proxy = createProxy(options);
    const { book, clock, store } = proxy;
    book.onChange(({ target, entry }) => {
      const remainingMs = entry === undefined ? 0 : entry.untilMs - clock.now();
      say({ did: 'learn', target, atMs: machineMs(), remainingMs });
    });
    await store.start(5000);
    say({ did: 'start', known: book.list().map(({ target }) => target) });
  }

  async function lease({ name, ttlMs }: Extract<ToRemote, { do: 'lease' }>): Promise<void> {
    const held = await proxy?.store.lease(name, ttlMs);
    say({ did: 'lease', scope: held?.scope, atMs: machineMs() });
  }

  async function close(): Promise<void> {
    await proxy?.store.close();
    process.disconnect?.();
  }

  process.on('message', (message: ToRemote) => {
    if (message.do === 'start') void start(message);
    else if (message.do === 'disable') proxy?.disable(message.target);
    else if (message.do === 'lease') void lease(message);
    else void close();
  });
}

if (process.argv[1]?.endsWith('remote-proxy.ts')) serve();
