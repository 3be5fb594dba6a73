import { beforeEach, describe, expect, it } from 'vitest';
import type { Provider } from '../../../proxy/config/snapshot.ts';
import { compileSnapshot } from '../../../proxy/config/snapshot-compile.ts';
import type { ProbeOutcome } from '../../../proxy/health/probe-verdict.ts';
import { createProber, type Prober, type ProbeRight } from '../../../proxy/health/prober.ts';
import { settled, TestClock } from '../../support/clock.ts';
import { configOf, provider } from '../../support/config.ts';

const probe = { path: '/health', periodSeconds: 30, timeoutSeconds: 5 };
const target = 'provider:default/p';
const healthy: ProbeOutcome = { type: 'answered', status: 200, tookMs: 3 };
const unhealthy: ProbeOutcome = { type: 'answered', status: 503, tookMs: 3 };

function providersOf(...configs: readonly ReturnType<typeof provider>[]): ReadonlyMap<string, Provider> {
  const { config, credentials } = configOf({ providers: configs, routes: [] });
  return compileSnapshot(config, credentials).providers;
}

const probed = (differs: object = {}, url = 'http://p.example/v1') =>
  providersOf(provider('p', url, { probe: { ...probe, ...differs } }));

/** Several proxies with one table of rights, one disable book and one upstream, in turned time. */
class Fleet {
  readonly clock = new TestClock();
  readonly startMs = this.clock.now();
  /** Who asked, and when, in seconds since the start. */
  readonly asked: { readonly by: number; readonly atS: number }[] = [];
  readonly until = new Map<string, number>();
  readonly disabled: number[] = [];
  cleared = 0;
  readonly lines: string[] = [];
  /** Of these no timer ever fires again, and nothing is given back. */
  readonly dead = new Set<number>();
  outcome: ProbeOutcome | undefined = healthy;
  readonly probers: Prober[] = [];
  #right: { readonly by: number; untilMs: number } | undefined;

  join(random = 0.5): Prober {
    const by = this.probers.length + 1;
    const { clock } = this;
    const say = (fields: object, message: string): void => void this.lines.push(`${message} ${JSON.stringify(fields)}`);
    const prober = createProber({
      clock: {
        now: () => clock.now(),
        setTimer: (delayMs, fire) => clock.setTimer(delayMs, () => (this.dead.has(by) ? undefined : fire())),
      },
      random: () => random,
      log: { info: say, warn: say },
      disables: {
        until: (of) => ((this.until.get(of) ?? 0) > clock.now() ? (this.until.get(of) ?? 0) : 0),
        disable: (of, { untilMs }) => {
          this.until.set(of, untilMs);
          this.disabled.push(untilMs - clock.now());
        },
        clear: (of) => {
          this.cleared += 1;
          this.until.delete(of);
        },
      },
      claim: async (_name, ttlMs) => this.#claim(by, ttlMs),
      ask: async () => {
        this.asked.push({ by, atS: (clock.now() - this.startMs) / 1000 });
        return this.outcome;
      },
    });
    this.probers.push(prober);
    return prober;
  }

  #claim(by: number, ttlMs: number): ProbeRight | undefined {
    const { clock } = this;
    if (this.#right !== undefined && this.#right.untilMs > clock.now()) return undefined;
    const right = { by, untilMs: clock.now() + ttlMs };
    this.#right = right;
    return {
      renew: async () => {
        if (right.untilMs <= clock.now()) return false;
        right.untilMs = clock.now() + ttlMs;
        return true;
      },
      release: () => void (right.untilMs = 0),
    };
  }

  async turn(seconds: number): Promise<void> {
    for (let ms = 0; ms < seconds * 1000; ms += 100) {
      this.clock.turn(100);
      await settled();
    }
  }
}

describe('a prober', () => {
  let fleet: Fleet;
  beforeEach(() => {
    fleet = new Fleet();
  });

  it('asks once in a period, beginning at a time of its own within ten seconds', async () => {
    fleet.join(0.3).adopt({ providers: probed() });
    await fleet.turn(100);
    expect(fleet.asked.map(({ atS }) => atS)).toEqual([3, 33, 63, 93]);
    expect([fleet.disabled, fleet.cleared, fleet.lines]).toEqual([[], 0, []]);
  });

  it('asks for all: one of three does, and another when that one has gone silent', async () => {
    const [one, two, three] = [fleet.join(0.9), fleet.join(0.1), fleet.join(0.5)];
    for (const prober of [one, two, three]) prober.adopt({ providers: probed() });
    await fleet.turn(200);
    expect(new Set(fleet.asked.map(({ by }) => by))).toEqual(new Set([2]));
    expect(fleet.asked).toHaveLength(7);
    const last = fleet.asked.at(-1)?.atS ?? 0;
    // In order: the right is given back.
    two.close();
    await fleet.turn(30);
    const next = fleet.asked.at(-1);
    expect(next?.by).not.toBe(2);
    expect(next?.atS ?? 0).toBeLessThan(last + 30 + 18.1);
  });

  it('asks nothing any more once it is closed, whatever configurations still come', async () => {
    const prober = fleet.join(0.3);
    prober.adopt({ providers: probed() });
    await fleet.turn(10);
    prober.close();
    prober.adopt({ providers: probed() });
    await fleet.turn(100);
    expect(fleet.asked).toHaveLength(1);
    expect(fleet.clock.pending).toBe(0);
  });

  it('is replaced within two periods and a bit if it dies', async () => {
    const [one, two] = [fleet.join(0.1), fleet.join(0.5)];
    one.adopt({ providers: probed() });
    await fleet.turn(20);
    two.adopt({ providers: probed() });
    await fleet.turn(20);
    expect(new Set(fleet.asked.map(({ by }) => by))).toEqual(new Set([1]));
    const diedAtS = (fleet.clock.now() - fleet.startMs) / 1000;
    fleet.dead.add(1);
    await fleet.turn(100);
    const after = fleet.asked.filter(({ atS }) => atS > diedAtS);
    expect(after[0]?.by).toBe(2);
    expect((after[0]?.atS ?? Infinity) - diedAtS).toBeLessThan(63);
  });

  it('disables by one failure, tells it again before that ends, and enables by one success', async () => {
    fleet.outcome = unhealthy;
    fleet.join(0).adopt({ providers: probed() });
    await fleet.turn(200);
    // 4 periods of 30 s and the 5 s of a probe; told again when less than half is left.
    expect(fleet.disabled).toEqual([125_000, 125_000, 125_000]);
    expect(fleet.until.get(target)).toBeGreaterThan(fleet.clock.now() + 35_000);
    fleet.outcome = healthy;
    await fleet.turn(30);
    expect([fleet.until.has(target), fleet.cleared]).toEqual([false, 1]);
    await fleet.turn(90);
    expect(fleet.cleared).toBe(1);
    expect(fleet.lines).toEqual([
      'probe failed {"provider":"default/p","verdict":"unhealthy","type":"answered","status":503,"tookMs":3}',
      'probe succeeds again {"provider":"default/p","verdict":"healthy","type":"answered","status":200,"tookMs":3}',
    ]);
  });

  it('changes nothing by answers about the credential, or where there is none to ask with', async () => {
    fleet.outcome = { type: 'answered', status: 401, tookMs: 3 };
    fleet.join(0).adopt({ providers: probed() });
    fleet.until.set(target, fleet.clock.now() + 600_000);
    await fleet.turn(40);
    fleet.outcome = undefined;
    await fleet.turn(60);
    expect([fleet.disabled, fleet.cleared, fleet.asked.length]).toEqual([[], 0, 4]);
    expect(fleet.lines).toHaveLength(1);
  });

  it('ends with the configuration that named it, and forgets its verdict where the place is another one', async () => {
    fleet.outcome = unhealthy;
    const prober = fleet.join(0);
    prober.adopt({ providers: probed() });
    await fleet.turn(10);
    prober.adopt({ providers: probed({}, 'http://elsewhere.example/v1') });
    expect(fleet.until.has(target)).toBe(false);
    await fleet.turn(10);
    expect(fleet.asked).toHaveLength(2);
    prober.adopt({ providers: providersOf(provider('p', 'http://p.example/v1')) });
    await fleet.turn(100);
    expect(fleet.asked).toHaveLength(2);
    expect(fleet.clock.pending).toBe(0);
  });

  it('goes on undisturbed through configurations that change nothing for it', async () => {
    const prober = fleet.join(0.9);
    for (let times = 0; times < 10; times += 1) {
      prober.adopt({ providers: probed() });
      await fleet.turn(10);
    }
    expect(fleet.asked.map(({ atS }) => atS)).toEqual([9, 39, 69, 99]);
  });
});
