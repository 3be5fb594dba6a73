// What clients do in a run: they come in crowds when things go wrong, and now and then otherwise; some leave, some read
// slowly, some insist on a backend, some ask for what cannot be answered.

import type { Fleet } from './fleet.ts';
import type { ProxyGround } from './sight.ts';
import type { Chance } from './virtual-time.ts';

/** Traffic to be planned. */
export interface TrafficPlan {
  readonly ground: ProxyGround;
  readonly fleet: Fleet;
  readonly chance: Chance;
  readonly forMs: number;
}

/** So many come at once. */
const crowdMax = 9;
const alone = 16;

/** Plans the requests of quiet times. */
export function planTraffic(plan: TrafficPlan): void {
  const { chance, forMs } = plan;
  for (let number = 0; number < alone; number += 1) askAt(plan, chance.between(2000, forMs));
}

/** A crowd comes, from now on or later. */
export function crowd(plan: Omit<TrafficPlan, 'forMs'>, afterMs: number): void {
  const { chance } = plan;
  const spreadMs = chance.one([5, 300, 3000]);
  const size = 2 + chance.below(crowdMax - 1);
  for (let member = 0; member < size; member += 1) askAt(plan, afterMs + chance.between(0, spreadMs));
}

function askAt({ ground: { time }, fleet, chance }: Omit<TrafficPlan, 'forMs'>, atMs: number): void {
  const stream = chance.is(0.5);
  const kind = chance.number();
  const pin = chance.one(['p0', 'p1', 'p2']);
  const slowMs = chance.between(5, 800);
  const leavesAfterMs = chance.is(0.5) ? chance.between(0, 30) : chance.between(0, 3000);
  time.after(atMs, () => {
    if (kind < 0.15) fleet.askAndLeave(stream, leavesAfterMs);
    else if (kind < 0.25) fleet.ask({ stream, pin });
    else if (kind < 0.3) fleet.ask({ stream, mark: '-bad' });
    else if (kind < 0.33) fleet.ask({ stream, mark: '-poison' });
    else if (kind < 0.4) fleet.ask({ stream: true, slowMs });
    else fleet.ask({ stream });
  });
}
