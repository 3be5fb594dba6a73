// One run of a simulation: everything that happens in it, and when, comes from its seed.

import { Fleet } from './fleet.ts';
import { drawForm, leavesOf, providerNames, secretsOf } from './installation.ts';
import { type Breach, Ledger } from './ledger.ts';
import { type ProviderCall, SimulatedProvider } from './providers.ts';
import { RedisPlace } from './redis-place.ts';
import type { ProxyGround, Sabotage } from './sight.ts';
import { planStorm } from './storm.ts';
import { planTraffic } from './traffic.ts';
import { beginMs, Chance, VirtualTime } from './virtual-time.ts';

/** What came of a run. */
export interface Run {
  readonly seed: number;
  readonly breaches: readonly Breach[];
  /** Of everything that was said: two runs are the same if these are. */
  readonly digest: string;
  readonly lines: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly events: number;
  /** CPU time that it took; not the same in two runs. */
  readonly cpuMs: number;
}

/** How long things happen to the proxies. */
const stormMs = 9 * 60_000;
/** Then all is well: as long as Redis and everybody's memory of it may differ, and the longest rest of a limit. */
const calmMs = 75_000;

/** How a run differs from the usual. */
export interface RunOptions {
  /** Whether the lines of the trace are kept. */
  readonly trace?: boolean;
  /** Puts a fault of ours into every disable book, to show that it is found. */
  readonly sabotage?: Sabotage | undefined;
}

/** Runs a seed. Must be called from a turn of the event loop, never from a promise: `simulate` does. */
export function runSeed(seed: number, { trace = false, sabotage }: RunOptions = {}): Run {
  const cpu = process.cpuUsage();
  const chance = new Chance(seed);
  const time = new VirtualTime(chance.fork());
  const ledger = new Ledger(time, trace);
  const form = drawForm(chance);
  const providers = new Map(
    providerNames.map((name) => [`default/${name}`, new SimulatedProvider(name, time)] as const),
  );
  for (const secret of secretsOf(form, [0, 0, 0])) providers.get('default/p0')?.turnKey(secret, 'good');
  const ground: ProxyGround = {
    time,
    chance: chance.fork(),
    ledger,
    providers,
    calls: new Map<string, Set<ProviderCall>>(),
    redis: new RedisPlace(time, chance.fork()),
    form,
    oneVoice: form.resumes,
    leaves: leavesOf(form),
    sabotage,
  };
  ledger.say(`seed ${seed}: ${JSON.stringify(form)}`);
  const fleet = new Fleet(ground, chance.fork());
  planStorm({ ground, fleet, chance: chance.fork(), forMs: stormMs });
  planTraffic({ ground, fleet, chance: chance.fork(), forMs: stormMs });
  time.run(beginMs + stormMs);
  fleet.calm();
  time.run(beginMs + stormMs + calmMs);
  fleet.askEverything();
  time.run(beginMs + stormMs + calmMs + 40_000);
  fleet.checkAtEnd();
  const { breaches, digest, lines, counts } = ledger;
  const { user, system } = process.cpuUsage(cpu);
  return { seed, breaches, digest, lines, counts, events: time.fired, cpuMs: (user + system) / 1000 };
}

/** Runs a seed from anywhere. */
export function simulate(seed: number, options: RunOptions = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(runSeed(seed, options));
      } catch (error) {
        reject(new Error(`seed ${seed}`, { cause: error }));
      }
    });
  });
}
