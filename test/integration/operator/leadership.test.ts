// Operators as processes that compete for their lease, and lose it in every way there is. What they write is followed
// version by version: nobody ever publishes what was compiled before the other took over.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sized, timeoutMs } from '../../chaos/scale.ts';
import { requiresControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type Replica, Scene } from './leadership-scene.ts';

/** The lease lasts 15 s; a minute is for `CHAOS_SCALE=1`. */
const stoppedSeconds = sized({ usual: 18, full: 60 });
const lost = /the lease was lost, and another replica may lead: this one must not go on/;

const plane = await requiresControlPlane();

plane.describe('of two operators', () => {
  /** A leader that has published 1, and another that waits. */
  async function openPair(): Promise<{ scene: Scene; leader: Replica; standby: Replica }> {
    const scene = await Scene.open(plane.shared);
    await scene.apply(1);
    const leader = await scene.start();
    await leader.leads();
    const standby = await scene.start();
    await Promise.all([scene.published(1, 10_000), standby.isWarm()]);
    return { scene, leader, standby };
  }

  /** Nothing that was written goes back, neither what is published nor what statuses say. */
  function expectNoReturn(scene: Scene): void {
    const published = scene.publications();
    expect(published.map(({ value }) => value)).toEqual(published.map(({ value }) => value).toSorted((a, b) => a - b));
    const revisions = published.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    const generations = scene.observed().map(({ generation }) => generation);
    expect(generations).toEqual(generations.toSorted((a, b) => a - b));
  }

  test.concurrent(
    'the one that was stopped for longer than its lease writes nothing when it goes on, and ends',
    { timeout: timeoutMs(120) },
    async ({ annotate }) => {
      const { scene, leader, standby } = await openPair();
      await using _ = scene;
      // In the middle of its work.
      await scene.apply(2);
      await delay(15 * Math.random());
      leader.signal('SIGSTOP');
      const stoppedMs = performance.now();
      await scene.apply(3);
      const taken = await scene.published(3, 25_000);
      await annotate(`stopped leader: taken over after ${((taken.heardMs - stoppedMs) / 1000).toFixed(1)} s`);
      await delay(Math.max(0, stoppedSeconds * 1000 - (performance.now() - stoppedMs)));
      await scene.apply(4);
      const resumedMs = performance.now();
      leader.signal('SIGCONT');
      expect(await leader.ended).toBe(1);
      expect(leader.program.err()).toMatch(lost);
      await annotate(`ended ${((performance.now() - resumedMs) / 1000).toFixed(1)} s after it went on`);
      await scene.published(4, 5000);
      expect(leader.writes().filter(({ atMs }) => atMs > resumedMs)).toEqual([]);
      await scene.apply(5);
      await scene.published(5, 5000);
      expectNoReturn(scene);
      expect(new Set(scene.holders().map(({ holder }) => holder)).size).toBe(2);
      expect(standby.said('became the leader')).toBe(1);
    },
  );

  test.concurrent(
    'the other takes over from one that was killed, although it has not heard the latest, and gives way in a second',
    { timeout: 90_000 },
    async ({ annotate }) => {
      const { scene, leader, standby } = await openPair();
      await using _ = scene;
      // Its watches are dead, and it does not know.
      standby.front.freezeWatches();
      await scene.apply(2);
      await scene.published(2, 5000);
      leader.signal('SIGKILL');
      const killedMs = performance.now();
      await scene.apply(3);
      const taken = await scene.published(3, 25_000);
      const took = scene.holders().at(-1)!.heardMs - killedMs;
      await annotate(
        `killed leader: lease taken after ${(took / 1000).toFixed(1)} s, change out after ${((taken.heardMs - killedMs) / 1000).toFixed(1)} s`,
      );
      expect(took).toBeLessThan(19_000);
      expectNoReturn(scene);

      const third = await scene.start();
      await third.isWarm();
      await delay(1000);
      standby.signal('SIGTERM');
      const askedMs = performance.now();
      expect(await standby.ended).toBe(0);
      const endedMs = performance.now();
      await third.leads();
      const handed = scene.holders().at(-1)!.heardMs - askedMs;
      await annotate(
        `asked to stop: ended after ${(endedMs - askedMs).toFixed()} ms, the other led after ${handed.toFixed()} ms`,
      );
      expect(handed).toBeLessThan(1500);
      await scene.apply(4);
      await scene.published(4, 5000);
      expectNoReturn(scene);
    },
  );

  test.concurrent(
    'the one that leads leads on after an outage of 7.5 s, and ends when it cannot renew; what it sent last changes nothing',
    { timeout: 60_000 },
    async () => {
      const { scene, leader, standby } = await openPair();
      await using _ = scene;
      await outage(leader, 7500);
      const overMs = performance.now();
      await scene.apply(2);
      await scene.published(2, 12_000);
      const renewedMs = (): number => scene.history.of('Lease').at(-1)?.heardMs ?? 0;
      await eventually(() => renewedMs() > overMs && scene.observed().at(-1)?.generation === 2);
      expect(leader.program.out()).not.toContain('leadership lost');

      // It still publishes, but of its statuses and its lease nobody hears any more.
      leader.front.hold = ({ url, method }) => method !== 'GET' && /\/status|\/leases/.test(url);
      await scene.apply(3);
      await scene.published(3, 5000);
      expect(await leader.ended).toBe(1);
      expect(leader.program.err()).toMatch(lost);
      expect(performance.now() - renewedMs()).toBeGreaterThan(9_000);
      expect(performance.now() - renewedMs()).toBeLessThan(12_000);
      const again = await scene.start();
      await scene.apply(4);
      await scene.published(4, 20_000);
      await eventually(() => scene.observed().at(-1)?.generation === 4);
      expect(leader.writes().filter(({ url }) => url.includes('/chat/status')).length).toBeGreaterThan(1);
      await leader.front.deliver();
      await scene.apply(5);
      await scene.published(5, 5000);
      await eventually(() => scene.observed().at(-1)?.generation === 5);
      expectNoReturn(scene);
      await again.isWarm();
      expect([standby.said('became the leader'), again.said('became the leader')]).toEqual([1, 0]);
    },
  );

  /** Every request of a replica fails for so long, and every connection that it has. */
  async function outage({ front }: Replica, ms: number): Promise<void> {
    front.intercept = () => ({ status: 503 });
    front.cut();
    await delay(ms);
    front.intercept = () => undefined;
  }
});
