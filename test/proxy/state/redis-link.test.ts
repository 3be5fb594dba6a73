import { describe, expect, test } from 'vitest';
import { createBreaker } from '../../../proxy/state/breaker.ts';
import type { RedisCommand, RedisConnection } from '../../../proxy/state/redis-connection.ts';
import { createRedisLink } from '../../../proxy/state/redis-link.ts';
import { leaveScript } from '../../../proxy/state/redis-scripts.ts';
import { TestClock } from '../../support/clock.ts';

const command: RedisCommand = { script: leaveScript, keys: [], args: [] };

/** A link to something that answers as `call` says. */
function rig(call: () => Promise<unknown>) {
  const clock = new TestClock();
  const breaker = createBreaker({ clock, detail: 'not connected yet', onChange: () => {} });
  breaker.close();
  let calls = 0;
  const connection: RedisConnection = {
    connect: () => {},
    call: () => {
      calls += 1;
      return call();
    },
    reconnect: () => {},
    tendSubscription: () => {},
    close: () => {},
  };
  const link = createRedisLink({ clock, connection, breaker });
  /** The outcome of a command when nothing answers for a time. */
  const after = async (work: Promise<unknown>, waitMs: number): Promise<unknown> => {
    const outcome = work.catch((error: unknown) => error);
    // The deadline, and the further turn that reads the socket once more.
    clock.turn(waitMs);
    clock.turn(1);
    return outcome;
  };
  return { clock, breaker, link, after, calls: () => calls };
}

const silence = (): Promise<unknown> => new Promise(() => {});
const refusal = (): Promise<unknown> => Promise.reject(new Error('ERR no'));

describe('a command', () => {
  test('brings its answer, and leaves no timer behind', async () => {
    const { link, clock } = rig(() => Promise.resolve('answer'));
    expect(await link.run(command)).toBe('answer');
    await Promise.resolve();
    expect(clock.pending).toBe(0);
  });

  test('is given up after 50 ms; the third opens the breaker', async () => {
    const { link, after, breaker } = rig(silence);
    for (let n = 0; n < 3; n++) {
      expect(breaker.isOpen).toBe(false);
      expect(await after(link.run(command), 50)).toMatchObject({ message: 'no answer within 50 ms' });
    }
    expect([breaker.isOpen, breaker.detail]).toEqual([true, 'no answer within 50 ms']);
  });

  test('is not even sent while the breaker is open', async () => {
    const { link, breaker, calls } = rig(() => Promise.resolve('answer'));
    breaker.trip('gone');
    await expect(link.run(command)).rejects.toThrow('Redis is down: gone');
    expect(calls()).toBe(0);
  });

  test('gets an answer that arrived while this process was busy, however late it looks', async () => {
    let answer: (value: string) => void = () => {};
    const { link, clock } = rig(() => new Promise((resolve) => (answer = resolve)));
    const work = link.run(command);
    // The timer is due before the socket is read, as after a long turn of the event loop.
    clock.turn(50);
    answer('answer');
    expect(await work).toBe('answer');
  });
});

describe('a probe', () => {
  test('goes out while the breaker is open, and leaves closing it to the one who judges the answer', async () => {
    const { link, breaker } = rig(() => Promise.resolve('answer'));
    breaker.trip('gone');
    expect(await link.probe(command)).toBe('answer');
    expect(breaker.isOpen).toBe(true);
  });

  test('opens the breaker when it fails, or when two in a row are not answered', async () => {
    const refused = rig(refusal);
    await expect(refused.link.probe(command)).rejects.toThrow('ERR no');
    expect(refused.breaker.isOpen).toBe(true);

    const silent = rig(silence);
    await silent.after(silent.link.probe(command), 500);
    expect(silent.breaker.isOpen).toBe(false);
    await silent.after(silent.link.probe(command), 500);
    expect(silent.breaker.isOpen).toBe(true);
  });
});
