import { describe, expect, test } from 'vitest';
import { settled } from '../../support/clock.ts';
import { useCandidates } from './candidate.ts';
import { LeaseServer } from './lease-server.ts';

const { clock, start } = useCandidates();

describe('release', () => {
  test('lets the next one lead at its next look', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    const b = start(server, 'b');
    await clock.run(10_000);
    a.stop();
    await settled();
    expect([a.end, a.isLeader(), a.renewedAgoMs(), a.holder()]).toEqual(['released', false, undefined, '']);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 0 });
    await clock.run(3200);
    expect(b.isLeader()).toBe(true);
    expect(server.lease?.spec).toMatchObject({
      holderIdentity: 'b',
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
    });
  });

  test('is tried again when the lease has another version than the one that is known', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    server.edit((lease) => ({ ...lease, metadata: { ...lease.metadata, labels: { team: 'a' } } }));
    a.stop();
    await clock.run(1000);
    expect(a.end).toBe('released');
    expect(server.lease?.spec?.holderIdentity).toBe('');
  });

  test('leaves a lease alone that somebody else has taken', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    server.edit((lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'b' } }));
    a.stop();
    await clock.run(1000);
    expect(a.end).toBe('released');
    expect(server.lease?.spec?.holderIdentity).toBe('b');
  });

  test('waits for a renewal that is under way, which is no leadership any more afterwards', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    a.through = async (call) => {
      await new Promise<void>((resolve) => clock.setTimer(500, resolve));
      return server.handle(call);
    };
    await clock.run(2100);
    a.stop();
    await clock.run(399);
    expect(a.end).toBeUndefined();
    await clock.run(501);
    expect(a.end).toBe('released');
    expect(server.lease?.spec?.holderIdentity).toBe('');
  });

  test('gives up after a while, and the lease expires', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    a.through = () => new Promise(() => {});
    a.stop();
    await clock.run(5000);
    expect([a.end, a.isLeader()]).toEqual(['released', false]);
    expect(a.lines.at(-1)).toMatchObject({ level: 'warn' });
  });
});
