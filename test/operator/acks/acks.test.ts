// What is known of all proxies together: from their answers, for as long as those are good.

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Acks } from '../../../operator/acks/acks.ts';
import type { ProxyAddress } from '../../../operator/acks/ask-proxy.ts';
import { systemClock } from '../../../operator/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { createKeptLog } from '../queue/kept-log.ts';
import { type AdminPort, openAdminPort } from './admin-port.ts';

describe('answers of proxies', () => {
  let first: AdminPort;
  let second: AdminPort;
  let addresses: ProxyAddress[];
  let log: ReturnType<typeof createKeptLog>;
  let changes: number;
  /** Whether the last change was only that proxies have gone on. */
  let wentForward: boolean;
  /** How far the operator's clock is ahead of the machine's. */
  let aheadMs: number;
  let acks: Acks;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    [first, second] = await Promise.all([openAdminPort(), openAdminPort()]);
    first.serve(7);
    second.serve(7);
    addresses = [
      { ...first.address, proxy: 'first' },
      { ...second.address, proxy: 'second' },
    ];
    log = createKeptLog();
    changes = 0;
    aheadMs = 0;
    stop = new AbortController();
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs };
    const onChange = (isForward: boolean): void => {
      changes += 1;
      wentForward = isForward;
    };
    acks = new Acks({ addresses: () => addresses, token: undefined, clock, log, onChange });
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await Promise.all([first, second].map((port) => port[Symbol.asyncDispose]()));
  });

  function run(): void {
    running = acks.run(stop.signal);
  }

  function revisions(): readonly (number | undefined)[] {
    return acks.reports().map(({ revision }) => revision);
  }

  it('are unknown until each proxy has been asked once', async () => {
    expect(acks.asked()).toBe(false);
    expect(acks.reports()).toEqual(
      ['first', 'second'].map((proxy) => ({ proxy, revision: undefined, refusal: undefined, disabled: [] })),
    );
    await second[Symbol.asyncDispose]();
    run();
    await eventually(() => changes === 1);
    expect(acks.asked()).toBe(true);
    expect(revisions()).toEqual([7, undefined]);
    expect(acks.served()).toBe(7);
    second = await openAdminPort();
    addresses.push({ ...second.address, proxy: 'third' });
    acks.hurry();
    expect(acks.asked()).toBe(false);
    await eventually(() => acks.asked());
  });

  it('of no proxies are known at once', () => {
    addresses = [];
    expect([acks.asked(), acks.reports(), acks.served()]).toEqual([true, [], 0]);
  });

  it('are told when they change, and not otherwise', async () => {
    run();
    await eventually(() => changes === 1);
    const asked = first.asked.length;
    acks.hurry();
    await eventually(() => first.asked.length > asked);
    await delay(50);
    expect(changes).toBe(1);
    first.serve(7, { backends: [{ id: 'a/r/b', state: 'disabled', reason: 'Timeout' }] });
    acks.hurry();
    await eventually(() => changes === 2);
    expect(acks.reports()[0]?.disabled).toHaveLength(1);
  });

  it('tell whether proxies have gone on to a later revision, and nothing besides', async () => {
    const answered = async (serve: () => void): Promise<boolean> => {
      const before = changes;
      serve();
      acks.hurry();
      await eventually(() => changes > before);
      return wentForward;
    };
    run();
    // Before the first answers nothing was known.
    expect(await answered(() => undefined)).toBe(false);
    expect(await answered(() => first.serve(8))).toBe(true);
    expect(await answered(() => second.serve(9))).toBe(true);
    expect(await answered(() => first.serve(7))).toBe(false);
    expect(await answered(() => first.serve(9, { lastRefusal: { revision: 10, reasons: ['no'] } }))).toBe(false);
    expect(await answered(() => first.serve(11))).toBe(false);
    const disabled = { backends: [{ id: 'a/r/b', state: 'disabled', reason: 'Timeout' }] };
    expect(await answered(() => first.serve(12, disabled))).toBe(false);
    expect(await answered(() => first.serve(13, disabled))).toBe(true);
    expect(await answered(() => void addresses.pop())).toBe(false);
  });

  it('are asked for again and again while a revision is on its way', async () => {
    run();
    await eventually(() => changes === 1);
    acks.expect(8);
    await delay(100);
    first.serve(8);
    const servedMs = performance.now();
    await eventually(() => revisions()[0] === 8);
    expect(performance.now() - servedMs).toBeLessThan(400);
    // One that has refused it is not waited for.
    second.serve(7, { lastRefusal: { revision: 8, reasons: ['no'] } });
    await eventually(() => acks.reports()[1]?.refusal?.revision === 8);
    const asked = first.asked.length;
    await delay(500);
    expect(first.asked.length - asked).toBeLessThanOrEqual(2);
  });

  it('stay good for fifteen seconds, with one word in the log about the silence and one about its end', async () => {
    run();
    await eventually(() => changes === 1);
    second.answers.clear();
    for (let turn = 0; turn < 3; turn += 1) {
      const asked = second.asked.length;
      acks.hurry();
      await eventually(() => second.asked.length > asked);
    }
    await eventually(() => log.lines.length === 1);
    expect(log.lines[0]).toMatchObject({ level: 'warn', message: 'the proxy does not say what it serves' });
    expect(revisions()).toEqual([7, 7]);
    aheadMs = 15_001;
    acks.hurry();
    await eventually(() => JSON.stringify(revisions()) === '[7,null]');
    second.serve(7);
    acks.hurry();
    await eventually(() => revisions()[1] === 7);
    expect(log.lines.map(({ message }) => message)).toEqual([
      'the proxy does not say what it serves',
      'the proxy answers again',
    ]);
  });

  it('of a proxy that has gone are forgotten', async () => {
    run();
    await eventually(() => changes === 1);
    addresses.pop();
    acks.hurry();
    await eventually(() => changes === 2);
    expect(revisions()).toEqual([7]);
    // Under the same name comes another one, which has not been asked.
    addresses.push({ ...second.address, proxy: 'second' });
    acks.hurry();
    expect(acks.asked()).toBe(false);
  });

  it('come from sixteen proxies at a time, however many there are', async () => {
    await using many = await openAdminPort('0.0.0.0');
    let now = 0;
    let most = 0;
    many.serve(7);
    const answer = many.answers.get('/config')!;
    many.answers.set('/config', (request, response) => {
      now += 1;
      most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        answer(request, response);
      }, 10);
    });
    // Every address from 127.0.0.1 on is this machine's own.
    addresses = Array.from({ length: 60 }, (_, number) => ({
      proxy: `p${number}`,
      host: `127.0.0.${number + 1}`,
      port: many.port,
    }));
    run();
    await eventually(() => changes === 1);
    expect(revisions()).toEqual(addresses.map(() => 7));
    expect(most).toBe(16);
  });

  it('are not waited for when it ends', async () => {
    first.answers.set('/config', () => undefined);
    run();
    await eventually(() => first.asked.length > 0);
    const endedMs = performance.now();
    stop.abort();
    await running;
    expect(performance.now() - endedMs).toBeLessThan(500);
    expect([changes, log.lines.length]).toEqual([0, 0]);
  });
});
