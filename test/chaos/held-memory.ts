// What a process really holds: by its inspector, which collects what is garbage before it counts.
// https://chromedevtools.github.io/devtools-protocol/v8/HeapProfiler/#method-collectGarbage

import { once } from 'node:events';
import type { Program } from '../integration/standalone/program.ts';

/** With these a program has an inspector, on loopback. */
export const withInspector: Readonly<Record<string, string>> = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

interface Reply {
  readonly id?: number;
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

/** Bytes of objects and buffers that a program started `withInspector` holds on to. */
export async function heldBytes(program: Program): Promise<number> {
  const [, url = ''] = await program.says(/Debugger listening on (ws:\S+)/);
  const socket = new WebSocket(url);
  await once(socket, 'open');
  let asked = 0;
  const ask = async (method: string, params: object = {}): Promise<Reply> => {
    const id = (asked += 1);
    socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [event] = (await once(socket, 'message')) as [MessageEvent<string>];
      const reply = JSON.parse(event.data) as Reply;
      if (reply.id === id) return reply;
    }
  };
  await ask('HeapProfiler.collectGarbage');
  // `external` counts the buffers too.
  const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';
  const { result } = await ask('Runtime.evaluate', { expression });
  socket.close();
  const bytes = result?.result?.value;
  if (typeof bytes !== 'number') throw new Error(`no answer from the inspector: ${JSON.stringify(result)}`);
  return bytes;
}
