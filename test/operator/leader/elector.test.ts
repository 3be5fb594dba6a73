import { describe, expect, test } from 'vitest';
import type { Lease } from '../../../operator/leader/lease.ts';
import { settled } from '../../support/clock.ts';
import { startCandidate, useCandidates } from './candidate.ts';
import { failure, LeaseServer, leaseName } from './lease-server.ts';

const { clock, start } = useCandidates();

/** What stands in the Lease. */
function recordOf(server: LeaseServer): Lease['spec'] {
  return server.lease?.spec;
}

describe('a candidate', () => {
  test('makes the lease where there is none, and leads', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    expect(a.isLeader()).toBe(false);
    await settled();
    expect(a.isLeader()).toBe(true);
    expect(a.started).toBe(1);
    expect(a.holder()).toBe('a');
    expect(server.lease).toMatchObject({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: leaseName });
    const now = new Date(clock.now()).toISOString().replace('Z', '000Z');
    expect(recordOf(server)).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    });
  });

  test('waits while another renews, for as long as that takes', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    const b = start(server, 'b');
    await clock.run(120_000);
    expect([a.isLeader(), b.isLeader()]).toEqual([true, false]);
    expect(b.holder()).toBe('a');
    expect(recordOf(server)?.leaseTransitions).toBe(0);
    expect(b.lines.map(({ message, holder }) => [message, holder])).toEqual([
      ['waiting to become the leader', undefined],
      ['the holder of the lease changed', 'a'],
    ]);
  });

  test('takes over when the leader has been silent for the duration of the lease, and not before', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    const b = start(server, 'b');
    await clock.run(1000);
    a.through = () => Promise.reject(failure(0));
    const silentMs = clock.monotonic();
    while (!b.isLeader()) await clock.run(100);
    // The last renewal was up to 2 s ago, and the candidate looks every 3.2 s.
    expect(clock.monotonic() - silentMs).toBeGreaterThan(13_000);
    expect(clock.monotonic() - silentMs).toBeLessThan(15_000 + 2 * 3200);
    expect([a.end, a.isLeader()]).toEqual(['lost', false]);
    expect(recordOf(server)).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  test('does not believe what the record says about time', async () => {
    const server = new LeaseServer();
    const longAgo = '2001-01-01T00:00:00.000000Z';
    server.lease = {
      metadata: { ...leaseName, resourceVersion: '1' },
      spec: { holderIdentity: 'x', leaseDurationSeconds: 15, acquireTime: longAgo, renewTime: longAgo },
    };
    const b = start(server, 'b');
    await clock.run(14_000);
    expect(b.isLeader()).toBe(false);
    await clock.run(5000);
    expect(b.isLeader()).toBe(true);
  });

  test('keeps to the duration that the holder has written', async () => {
    const server = new LeaseServer();
    server.lease = {
      metadata: { ...leaseName, resourceVersion: '1' },
      spec: { holderIdentity: 'x', leaseDurationSeconds: 60 },
    };
    const b = start(server, 'b');
    await clock.run(59_000);
    expect(b.isLeader()).toBe(false);
    await clock.run(5000);
    expect(b.isLeader()).toBe(true);
  });

  test('takes labels for no sign of life', async () => {
    const server = new LeaseServer();
    start(server, 'a').stop();
    await settled();
    const time = '2026-01-01T00:00:00.000000Z';
    const dead = { holderIdentity: 'x', leaseDurationSeconds: 15, acquireTime: time, renewTime: time };
    server.edit((lease) => ({ ...lease, spec: dead }));
    const b = start(server, 'b');
    for (let second = 0; second < 20; second += 1) {
      const labels = { second: String(second) };
      server.edit((lease) => ({ ...lease, metadata: { ...lease.metadata, labels } }));
      await clock.run(1000);
    }
    expect(b.isLeader()).toBe(true);
  });

  test('that finds its own name in the lease takes it at once', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    let lost = 0;
    a.through = async (call) => {
      const answer = server.handle(call);
      if (call.method !== 'GET' && (lost += 1) === 1) throw failure(0);
      return answer;
    };
    await clock.run(3300);
    expect(a.isLeader()).toBe(true);
    expect(recordOf(server)?.leaseTransitions).toBe(0);
  });

  test('says once that the API server is gone, and goes on trying', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    a.through = () => Promise.reject(failure(503));
    await clock.run(60_000);
    expect(a.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    a.through = async (call) => server.handle(call);
    await clock.run(5000);
    expect(a.isLeader()).toBe(true);
  });

  test('says nothing of another that is faster', async () => {
    const server = new LeaseServer();
    const [a, b] = [start(server, 'a'), start(server, 'b')];
    await clock.run(10_000);
    expect([a.isLeader(), b.isLeader()]).toEqual([true, false]);
    expect(server.requests.slice(0, 4)).toEqual(['GET', 'GET', 'POST', 'POST']);
    expect([...a.lines, ...b.lines].filter(({ level }) => level !== 'info')).toEqual([]);
  });

  test('that is told to stop stops waiting', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    const b = start(server, 'b');
    await settled();
    b.stop();
    await settled();
    expect([b.end, b.started]).toEqual(['released', 0]);
    expect(recordOf(server)?.holderIdentity).toBe('a');
    expect(a.isLeader()).toBe(true);
  });

  test('that is told to stop while it takes the lease gives it back without leading', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    a.stop();
    await settled();
    expect([a.end, a.started, a.isLeader()]).toEqual(['released', 0, false]);
    expect(recordOf(server)?.holderIdentity).toBe('');
  });
});

describe('the leader', () => {
  test('renews with one request, and keeps what it does not know', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    const acquireTime = recordOf(server)?.acquireTime;
    server.edit((lease) => ({
      ...lease,
      metadata: { ...lease.metadata, labels: { team: 'a' } },
      spec: { ...lease.spec, strategy: 'OldestEmulationVersion', preferredHolder: 'b' },
    }));
    await clock.run(2000);
    server.requests.length = 0;
    await clock.run(20_000);
    expect(server.requests).toEqual(Array(10).fill('PUT'));
    expect(server.lease?.metadata.labels).toEqual({ team: 'a' });
    expect(recordOf(server)).toMatchObject({
      holderIdentity: 'a',
      acquireTime,
      leaseTransitions: 0,
      strategy: 'OldestEmulationVersion',
      preferredHolder: 'b',
    });
    expect(recordOf(server)?.renewTime).not.toBe(acquireTime);
    // The edit made the remembered version an old one.
    expect(a.slowPaths).toBe(1);
  });

  test('survives an API server that is gone for less than the deadline', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    a.through = () => Promise.reject(failure(0));
    await clock.run(9499);
    expect(a.isLeader()).toBe(true);
    a.through = async (call) => server.handle(call);
    await clock.run(60_000);
    expect([a.isLeader(), a.end]).toEqual([true, undefined]);
  });

  test('survives answers that are lost', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    let writes = 0;
    a.through = async (call) => {
      const answer = server.handle(call);
      if (call.method === 'PUT' && (writes += 1) % 2 === 1) throw failure(0);
      return answer;
    };
    await clock.run(120_000);
    expect(a.isLeader()).toBe(true);
    expect(a.slowPaths).toBe(60);
    expect(recordOf(server)?.leaseTransitions).toBe(0);
  });

  test('makes the lease again when somebody has deleted it', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    server.lease = undefined;
    await clock.run(2000);
    expect(a.isLeader()).toBe(true);
    expect(recordOf(server)?.holderIdentity).toBe('a');
  });

  test.each(['PUT', 'GET'])('loses it at the deadline if a %s hangs, and writes nothing afterwards', async (method) => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    const held: (() => void)[] = [];
    a.through = async (call) => {
      if (call.method === method) await new Promise<void>((resolve) => held.push(resolve));
      if (call.method === 'PUT') throw failure(0);
      return server.handle(call);
    };
    await clock.run(9999);
    expect([a.isLeader(), a.end]).toEqual([true, undefined]);
    await clock.run(1);
    expect([a.isLeader(), a.end, a.renewedAgoMs()]).toEqual([false, 'lost', undefined]);
    expect(a.lines.at(-1)).toMatchObject({ level: 'error', message: 'leadership lost' });
    expect(server.lease?.spec?.holderIdentity).toBe('a');

    a.through = async (call) => server.handle(call);
    server.requests.length = 0;
    for (const resolve of held) resolve();
    await clock.run(60_000);
    expect(server.requests.filter((it) => it !== 'GET')).toEqual([]);
  });

  test.each(['b', ''])('loses it at once when the lease says "%s"', async (holderIdentity) => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    server.edit((lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity } }));
    await clock.run(2000);
    expect([a.isLeader(), a.end]).toEqual([false, 'lost']);
    expect(recordOf(server)?.holderIdentity).toBe(holderIdentity);
  });

  test('knows that it is none as soon as it goes on after a stop, before any timer has fired', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    clock.pass(60_000);
    expect(a.isLeader()).toBe(false);
    expect(a.renewedAgoMs()).toBe(60_000);
    server.requests.length = 0;
    await clock.run(0);
    expect(a.end).toBe('lost');
    expect(server.requests).toEqual([]);
  });

  test('says how long ago it renewed, counted from when it asked', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    expect(a.renewedAgoMs()).toBe(0);
    a.through = async (call) => {
      await new Promise<void>((resolve) => clock.setTimer(700, resolve));
      return server.handle(call);
    };
    await clock.run(2000);
    expect(a.renewedAgoMs()).toBe(2000);
    await clock.run(700);
    expect(a.renewedAgoMs()).toBe(700);
  });

  test('gives every request a deadline that leaves time for another, the last one less', async () => {
    const server = new LeaseServer();
    const a = start(server, 'a');
    await settled();
    const deadlines: (number | undefined)[] = [];
    a.through = (call) => {
      deadlines.push(call.timeoutMs);
      return new Promise((_resolve, reject) => clock.setTimer((call.timeoutMs ?? 0) - 0.5, () => reject(failure(0))));
    };
    await clock.run(10_000);
    expect(deadlines).toEqual([5000, 3001]);
    expect(a.end).toBe('lost');
  });
});

test.each([
  [{ leaseDurationMs: 10_000, renewDeadlineMs: 10_000, retryPeriodMs: 2000 }],
  [{ leaseDurationMs: 15_000, renewDeadlineMs: 2400, retryPeriodMs: 2000 }],
])('times that do not fit together are refused: %o', (settings) => {
  expect(() => startCandidate(new LeaseServer(), { clock, identity: 'a', settings })).toThrow('times of an election');
});
