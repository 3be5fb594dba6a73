// Active probes: asks a provider again and again whether it works, one proxy for all, and disables or enables it for
// everybody. Which proxy it is decides a lease. Must not know how a probe is sent, or who keeps leases and disables.

import type { Clock, Timer } from '../canonical/clock.ts';
import type { ProbeConfig, Provider, Snapshot } from '../config/snapshot.ts';
import { judgeProbe, type ProbeOutcome, type ProbeVerdict } from './probe-verdict.ts';

/** The right to probe a provider. */
export interface ProbeRight {
  /** Starts its time anew; false if it is lost. */
  renew(): Promise<boolean>;
  release(): void;
}

/** The part of the disable book that probes need. */
export interface ProbeDisables {
  until(target: string): number;
  disable(target: string, cause: { untilMs: number; reason: 'Probe'; hard: false }): unknown;
  clear(target: string): void;
}

/** Where changes are reported: one line for each. */
export interface ProbeLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What a prober is made of. */
export interface ProberSettings {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly disables: ProbeDisables;
  readonly log: ProbeLog;
  /** The right of that name for so long; undefined while another proxy has it. Never rejects. */
  readonly claim: (name: string, ttlMs: number) => Promise<ProbeRight | undefined>;
  /** Asks a provider once; undefined if it has no usable key to ask with. Never rejects. */
  readonly ask: (provider: Provider, probe: ProbeConfig, signal: AbortSignal) => Promise<ProbeOutcome | undefined>;
}

/** Probes whatever the configuration says. */
export interface Prober {
  /** A configuration is in force: probes that it does not name end, those that it names begin. */
  adopt(snapshot: Pick<Snapshot, 'providers'>): void;
  /** Ends all probes for good, and lets other proxies take them over. */
  close(): void;
}

/** Proxies that start together shall not ask together; and no provider waits longer than this for its first probe. */
const startMaxMs = 10_000;
/** A verdict lasts for so many periods without being repeated: longer than another proxy takes to take over. */
const verdictPeriods = 4;

/** Makes a prober; nothing is probed before a configuration is adopted. */
export function createProber(settings: ProberSettings): Prober {
  const running = new Map<string, ProviderProbe>();
  let closed = false;

  function end(id: string, probe: ProviderProbe): void {
    running.delete(id);
    probe.close();
  }

  return {
    adopt({ providers }) {
      if (closed) return;
      for (const [id, probe] of running) {
        const provider = providers.get(id);
        if (provider?.probe === undefined || !probe.adopt(provider)) end(id, probe);
      }
      for (const [id, provider] of providers) {
        if (provider.probe === undefined || running.has(id)) continue;
        running.set(id, new ProviderProbe(provider, provider.probe, settings));
      }
    },
    close() {
      closed = true;
      for (const [id, probe] of running) end(id, probe);
    },
  };
}

/** The probes of one provider. */
class ProviderProbe {
  readonly #settings: ProberSettings;
  readonly #probe: ProbeConfig;
  readonly #end = new AbortController();
  /** The latest form of it: keys come and go. */
  #provider: Provider;
  #timer: Timer;
  #right: ProbeRight | undefined;
  #verdict: ProbeVerdict | undefined;

  constructor(provider: Provider, probe: ProbeConfig, settings: ProberSettings) {
    this.#provider = provider;
    this.#probe = probe;
    this.#settings = settings;
    const startMs = Math.min(probe.periodMs, startMaxMs) * settings.random();
    this.#timer = settings.clock.setTimer(startMs, () => void this.#turn());
  }

  /** False: what is probed, or how, has changed, so that what was found says nothing any more. */
  adopt(provider: Provider): boolean {
    if (!isSamePlace(provider, this.#provider)) {
      this.#enable();
      return false;
    }
    this.#provider = provider;
    return true;
  }

  close(): void {
    this.#timer.cancel();
    this.#end.abort();
    this.#right?.release();
    this.#right = undefined;
  }

  async #turn(): Promise<void> {
    const { clock, random } = this.#settings;
    const { periodMs } = this.#probe;
    const begunMs = clock.now();
    const isOurs = await this.#isOurs();
    if (isOurs && !this.#end.signal.aborted) await this.#ask();
    if (this.#end.signal.aborted) return;
    // Who does not probe looks twice in a period whether somebody must take over, and never in step with the others.
    const nextMs = isOurs ? Math.max(0, begunMs + periodMs - clock.now()) : periodMs * (0.4 + 0.2 * random());
    this.#timer = clock.setTimer(nextMs, () => void this.#turn());
  }

  async #isOurs(): Promise<boolean> {
    if (this.#right !== undefined && !(await this.#right.renew())) this.#right = undefined;
    if (this.#right !== undefined) return true;
    const { periodMs } = this.#probe;
    // Renewed once in a period: half a period, or a second, of grace.
    const ttlMs = periodMs + Math.max(1000, periodMs / 2);
    const right = await this.#settings.claim(`probe:${this.#provider.id}`, ttlMs);
    if (this.#end.signal.aborted) right?.release();
    else this.#right = right;
    return this.#right !== undefined;
  }

  async #ask(): Promise<void> {
    const outcome = await this.#settings.ask(this.#provider, this.#probe, this.#end.signal);
    if (outcome === undefined || this.#end.signal.aborted) return;
    const verdict = judgeProbe(outcome, this.#probe.unhealthyAfterMs);
    this.#say(verdict, outcome);
    if (verdict === 'unhealthy') this.#disable();
    else if (verdict === 'healthy') this.#enable();
  }

  #disable(): void {
    const { clock, disables } = this.#settings;
    const { target, periodMs, timeoutMs } = this.#probe;
    const nowMs = clock.now();
    // Told again only when half of it is over: each time it is news to all proxies.
    if (disables.until(target) > nowMs + (verdictPeriods / 2) * periodMs + timeoutMs) return;
    disables.disable(target, { untilMs: nowMs + verdictPeriods * periodMs + timeoutMs, reason: 'Probe', hard: false });
  }

  #enable(): void {
    const { disables } = this.#settings;
    if (disables.until(this.#probe.target) > 0) disables.clear(this.#probe.target);
  }

  #say(verdict: ProbeVerdict, outcome: ProbeOutcome): void {
    if (verdict === this.#verdict) return;
    const { log } = this.#settings;
    const facts = { provider: this.#provider.id, verdict, ...outcome };
    if (verdict !== 'healthy') log.warn(facts, 'probe failed');
    else if (this.#verdict !== undefined) log.info(facts, 'probe succeeds again');
    this.#verdict = verdict;
  }
}

function isSamePlace(one: Provider, other: Provider): boolean {
  return (
    one.config.baseURL === other.config.baseURL &&
    JSON.stringify(one.config.probe) === JSON.stringify(other.config.probe)
  );
}
