// What all proxies say of themselves, kept up to date by asking: every few seconds, and again and again while a revision
// is on its way. "Programmed" is made of these answers, never of what was written.

import { Agent } from 'undici';
import { type Clock, waitOrAbort } from '../clock.ts';
import type { Log } from '../log.ts';
import type { ProxyReport } from '../status/proxy-report.ts';
import { agentOptions, askProxy, type ProxyAddress } from './ask-proxy.ts';

/** A rejection must be on the objects within 5 s. */
const askEveryMs = 3_000;
/** While a revision is on its way: soon, then less and less often until the usual pace is reached. */
const eagerMs = [20, 50, 100, 200, 400, 800, 1_600] as const;
/** Proxies asked at the same time. */
const askedAtOnceMax = 16;
/** A proxy that is silent for a moment still serves what it said; after this long nobody knows. */
const forgetMs = 15_000;

/** Where the answers come from and go to. */
export interface AcksOptions {
  /** Proxies that count at present: those that are ready. */
  readonly addresses: () => readonly ProxyAddress[];
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Something that a proxy says has changed, or which proxies there are. `isForward`: all that has changed is that proxies
   * have gone on to later revisions.
   */
  readonly onChange: (isForward: boolean) => void;
}

interface Answer {
  readonly report: ProxyReport;
  readonly atMs: number;
}

/** Asks the proxies. */
export class Acks {
  readonly #options: AcksOptions;
  readonly #agent = new Agent(agentOptions);
  readonly #answers = new Map<string, Answer>();
  readonly #silent = new Set<string>();
  #expected = 0;
  #eager = 0;
  #wake: (() => void) | undefined;
  #told = '';
  #toldReports: readonly ProxyReport[] = [];
  #reports: readonly ProxyReport[] | undefined;
  #asked = false;

  constructor(options: AcksOptions) {
    this.#options = options;
  }

  /** One report for each proxy that counts; one that has not answered lately says nothing. The same list until something is new. */
  reports(): readonly ProxyReport[] {
    this.#reports ??= this.#putTogether();
    return this.#reports;
  }

  /** Whether each proxy that counts has been asked once, whatever came of it. Before that nothing is known of them. */
  asked(): boolean {
    this.reports();
    return this.#asked;
  }

  /** The highest revision that any proxy serves; 0 if none does. */
  served(): number {
    return Math.max(0, ...this.reports().map(({ revision }) => revision ?? 0));
  }

  /** A revision has been published: proxies are asked until each of them serves it or has refused it. */
  expect(revision: number): void {
    if (revision === this.#expected) return;
    this.#expected = revision;
    this.hurry();
  }

  /** Something is about to change: another proxy has come, or one has gone. */
  hurry(): void {
    this.#reports = undefined;
    this.#eager = 0;
    this.#wake?.();
  }

  /** Asks until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#askAll(signal);
      await this.#pause(signal);
    }
    await this.#agent.destroy();
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const settled = this.reports().every(({ revision, refusal }) =>
      [revision, refusal?.revision].some((known) => known !== undefined && known >= this.#expected),
    );
    const pauseMs = settled ? askEveryMs : (eagerMs[this.#eager] ?? askEveryMs);
    this.#eager += 1;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await waitOrAbort(this.#options.clock, pauseMs, AbortSignal.any([signal, woken.signal]));
    this.#wake = undefined;
  }

  async #askAll(signal: AbortSignal): Promise<void> {
    const addresses = [...this.#options.addresses()];
    const names = new Set(addresses.map(({ proxy }) => proxy));
    for (const known of [...this.#answers.keys(), ...this.#silent]) if (!names.has(known)) this.#forget(known);
    const ask = async (): Promise<void> => {
      for (let next = addresses.pop(); next !== undefined; next = addresses.pop()) await this.#ask(next, signal);
    };
    await Promise.all(Array.from({ length: Math.min(askedAtOnceMax, addresses.length) }, ask));
    this.#reports = undefined;
    const reports = this.reports();
    const said = JSON.stringify(reports);
    if (said === this.#told || signal.aborted) return;
    const isForward = isOnlyForward(this.#toldReports, reports);
    this.#told = said;
    this.#toldReports = reports;
    this.#options.onChange(isForward);
  }

  async #ask(address: ProxyAddress, signal: AbortSignal): Promise<void> {
    const { token, clock, log } = this.#options;
    const { proxy } = address;
    try {
      const report = await askProxy(address, { agent: this.#agent, token, signal });
      this.#answers.set(proxy, { report, atMs: clock.monotonic() });
      if (this.#silent.delete(proxy)) log.info({ proxy }, 'the proxy answers again');
    } catch (error) {
      // Once per silence, not once per question.
      if (signal.aborted || this.#silent.has(proxy)) return;
      this.#silent.add(proxy);
      log.warn({ proxy, error }, 'the proxy does not say what it serves');
    }
  }

  #putTogether(): readonly ProxyReport[] {
    const now = this.#options.clock.monotonic();
    const addresses = this.#options.addresses();
    this.#asked = addresses.every(({ proxy }) => this.#answers.has(proxy) || this.#silent.has(proxy));
    return addresses.map(({ proxy }) => {
      const answer = this.#answers.get(proxy);
      if (answer !== undefined && now - answer.atMs <= forgetMs) return answer.report;
      return { proxy, revision: undefined, refusal: undefined, disabled: [] };
    });
  }

  #forget(proxy: string): void {
    this.#answers.delete(proxy);
    this.#silent.delete(proxy);
  }
}

function isOnlyForward(before: readonly ProxyReport[], after: readonly ProxyReport[]): boolean {
  if (before.length !== after.length) return false;
  return after.every((report, index) => {
    const known = before[index];
    // Without the revision they say the same.
    const isSame = JSON.stringify({ ...known, revision: 0 }) === JSON.stringify({ ...report, revision: 0 });
    const [from, to] = [known?.revision, report.revision];
    return isSame && from !== undefined && to !== undefined && from <= to;
  });
}
