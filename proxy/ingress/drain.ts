// The end of an ingress without losing an answer (failure.md, rule 16): stop listening, serve what is open, wait for
// streams, and at the deadline let them say that they failed.

import type { Clock } from '../canonical/clock.ts';
import type { Connection, Connections } from './connection.ts';
import type { ServeContext } from './serve.ts';

/** How a drain went. */
export interface DrainReport {
  /** Requests that were in flight when it began. */
  readonly requestsAtStart: number;
  /** Requests that ended while it lasted, whole or not. */
  readonly requestsDone: number;
  /** Requests that the deadline aborted. */
  readonly requestsAborted: number;
  /** Connections that had to be destroyed because their answer did not end even then. */
  readonly connectionsCut: number;
  readonly durationMs: number;
}

/** What a drain works with. */
export interface DrainOptions {
  readonly context: ServeContext;
  readonly connections: Connections;
  readonly clock: Clock;
  /** From now until what is still going on is aborted. */
  readonly deadlineMs: number;
}

/** Drains and resolves as soon as no connection is left. The caller has stopped listening already. */
export async function drain({ context, connections, clock, deadlineMs }: DrainOptions): Promise<DrainReport> {
  const startedAtMs = clock.now();
  const requestsAtStart = context.requestsInFlight;
  const doneBefore = context.requestsDone;
  let requestsAborted = 0;
  let connectionsCut = 0;
  context.draining = true;
  for (const connection of connections) markIdle(connection);
  const { drainServeMs, drainCutMs } = context.limits;
  const timers = [
    clock.setTimer(Math.min(drainServeMs, deadlineMs), () => closeIdle(context, connections)),
    clock.setTimer(deadlineMs, () => {
      requestsAborted = abortAll(context, connections);
    }),
    clock.setTimer(deadlineMs + drainCutMs, () => {
      connectionsCut = destroyAll(connections);
    }),
  ];
  await new Promise<void>((resolve) => connections.whenEmpty(resolve));
  for (const timer of timers) timer.cancel();
  const requestsDone = context.requestsDone - doneBefore;
  return { requestsAtStart, requestsDone, requestsAborted, connectionsCut, durationMs: clock.now() - startedAtMs };
}

function markIdle(connection: Connection): void {
  if (connection.current === undefined) connection.idleBytesRead = connection.socket.bytesRead;
}

/** Closes connections on which nothing goes on. One that has begun to send a request may still finish it. */
function closeIdle(context: ServeContext, connections: Connections): void {
  context.closingIdle = true;
  for (const { current, socket, idleBytesRead } of connections) {
    if (current === undefined && socket.bytesRead === idleBytesRead) socket.destroySoon();
  }
}

function abortAll(context: ServeContext, connections: Connections): number {
  context.refusing = true;
  let aborted = 0;
  for (const { current, socket } of connections) {
    if (current === undefined) {
      socket.destroySoon();
      continue;
    }
    aborted += 1;
    current.abort('drain-deadline');
  }
  return aborted;
}

/** Destroys what is left, and says how many. */
export function destroyAll(connections: Connections): number {
  const left = connections.size;
  for (const { socket } of connections) socket.destroy();
  return left;
}
