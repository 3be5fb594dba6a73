import { describe, expect, it } from 'vitest';
import { HeldReply } from '../../../proxy/stream/held-reply.ts';
import { TestClock } from '../../support/clock.ts';
import { keepAlive, SlowClient } from './relay-rig.ts';

function hold(holdMs: number) {
  const clock = new TestClock();
  const opened: SlowClient[] = [];
  const held = new HeldReply(clock, holdMs, keepAlive, () => {
    const client = new SlowClient();
    opened.push(client);
    return client;
  });
  return { clock, opened, held };
}

describe('a reply that is held back', () => {
  it('is opened when the time has passed, with a keep-alive at once and every 15 s', () => {
    const { clock, opened } = hold(4_000);
    clock.turn(3_999);
    expect(opened).toHaveLength(0);
    clock.turn(1);
    expect(opened[0]?.writes).toHaveLength(1);
    clock.turn(14_999);
    expect(opened[0]?.writes).toHaveLength(1);
    clock.turn(1);
    clock.turn(15_000);
    expect(opened[0]?.writes).toEqual(Array.from({ length: 3 }, () => keepAlive.toString()));
    expect(opened).toHaveLength(1);
  });

  it('is never opened once it was released', () => {
    const { clock, opened, held } = hold(4_000);
    expect(held.release()).toBeUndefined();
    clock.turn(100_000);
    expect(opened).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });

  it('hands its stream over, silent from then on, as often as it is asked', () => {
    const { clock, opened, held } = hold(4_000);
    clock.turn(4_000);
    const stream = held.release();
    expect(stream).toBe(opened[0]);
    clock.turn(100_000);
    expect(stream?.writes).toHaveLength(1);
    expect(held.release()).toBe(stream);
  });
});
