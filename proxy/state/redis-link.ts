// Commands with a deadline, behind a breaker: what every user of Redis in the proxy goes through. Nobody who calls here
// waits longer than the deadline, and once Redis is known to be down nobody waits at all.

import type { Clock } from '../canonical/clock.ts';
import type { Breaker } from './breaker.ts';
import { messageOf, type RedisCommand, type RedisConnection } from './redis-connection.ts';

/** A guarded way to Redis. */
export interface RedisLink {
  /** For what can be done without: 50 ms, and not at all while the breaker is open. Faults feed the breaker. */
  run(command: RedisCommand): Promise<unknown>;
  /** For what finds out how Redis is: goes out even while the breaker is open, and has patience. */
  probe(command: RedisCommand): Promise<unknown>;
}

/** What a link is made of. */
export interface RedisLinkOptions {
  readonly clock: Clock;
  readonly connection: RedisConnection;
  readonly breaker: Breaker;
}

/** A healthy Redis answers in one; beyond fifty milliseconds waiting costs the client more than the answer is worth. */
export const commandTimeoutMs = 50;
/** Long enough for a slow Redis to be of use to the backstop, short enough to try again within a second. */
const probeTimeoutMs = 500;
/** A further turn of the timers: what lies in the socket is read before it. */
const graceMs = 1;
/** One late answer may be chance. */
const probeTimeoutsMax = 2;

/** Makes a link of a connection. */
export function createRedisLink({ clock, connection, breaker }: RedisLinkOptions): RedisLink {
  let probesLate = 0;
  return {
    async run(command) {
      if (breaker.isOpen) throw new Error(`Redis is down: ${breaker.detail}`);
      try {
        return await withDeadline(clock, commandTimeoutMs, connection.call(command));
      } catch (error) {
        breaker.failed(error instanceof DeadlineError ? 'timeout' : 'error', messageOf(error));
        throw error;
      }
    },
    async probe(command) {
      try {
        const reply = await withDeadline(clock, probeTimeoutMs, connection.call(command));
        probesLate = 0;
        return reply;
      } catch (error) {
        probesLate = error instanceof DeadlineError ? probesLate + 1 : probeTimeoutsMax;
        if (probesLate >= probeTimeoutsMax) breaker.trip(messageOf(error));
        throw error;
      }
    },
  };
}

class DeadlineError extends Error {
  constructor(deadlineMs: number) {
    super(`no answer within ${deadlineMs} ms`);
  }
}

function withDeadline<T>(clock: Clock, deadlineMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(deadlineMs, () => {
      // If this process itself was late, the answer may lie in the socket: it is read first.
      clock.setTimer(graceMs, () => reject(new DeadlineError(deadlineMs)));
    });
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
