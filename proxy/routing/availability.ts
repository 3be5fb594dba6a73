// Whether backends and keys may be used right now: what is disabled, wholly or for one model, and what a key pool has
// left. Reads the disable book; changes nothing but trials.

import type { Clock } from '../canonical/clock.ts';
import type { Backend, UpstreamKey } from '../config/snapshot.ts';
import type { KeysLeft } from './disposition.ts';
import { modelTarget } from './target.ts';

/** Whether two keys belong to different accounts of their vendor, as far as the keys say. */
export function isOtherAccount({ config }: UpstreamKey, than: UpstreamKey): boolean {
  return config.organization !== than.config.organization || config.project !== than.config.project;
}

/** The part of the disable book that is read here. */
export interface Disables {
  /** Unix milliseconds; 0 = enabled. */
  until(target: string): number;
  find(target: string): DisableFacts | undefined;
  /** Whether an attempt that begins then is the trial of a target that has returned. */
  isTrial(target: string, begunMs: number): boolean;
  /** Ends such a trial. */
  settleTrial(target: string, succeeded: boolean, begunMs: number): void;
  /** Rule 21: true if this caller may send to the target now. */
  claim(target: string): boolean;
}

/** What is in force for a target. */
export interface DisableFacts {
  readonly hard: boolean;
  /** Class of the failure, or `Manual`. */
  readonly reason: string;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Reasons that come with the upstream's own word on when it returns, or that say nothing about whether it works. */
const notBefore: ReadonlySet<string> = new Set(['RateLimit', 'Quota', 'Manual']);

/** Answers for one request: its model decides which keys serve it and which partial disables concern it. */
export class Availability {
  readonly #disables: Disables;
  readonly #clock: Clock;
  readonly #clientModel: string | undefined;

  constructor(disables: Disables, clock: Clock, clientModel: string | undefined) {
    this.#disables = disables;
    this.#clock = clock;
    this.#clientModel = clientModel;
  }

  /** The model that is named to a backend's upstream. */
  modelFor(backend: Backend): string | undefined {
    return backend.upstreamModel ?? this.#clientModel;
  }

  /** 0: usable now. Else Unix milliseconds of its return; Infinity where there is no key that could return. */
  disabledUntil(backend: Backend): number {
    const own = Math.max(this.#until(backend.target, this.modelFor(backend)), this.#probedUntil(backend));
    if (backend.provider.config.credentials.type !== 'KeyPool') return own;
    return Math.max(own, this.#poolUntil(backend));
  }

  /** Whether the disable in force must not be overridden: by a person, or for want of any usable key. */
  isHard(backend: Backend): boolean {
    const model = this.modelFor(backend);
    if (this.#isHardFor(backend.target, model)) return true;
    if (backend.provider.config.credentials.type !== 'KeyPool') return false;
    return this.#serving(backend).every((key) => this.#isHardFor(key.target, model));
  }

  claim(backend: Backend): boolean {
    return this.#disables.claim(backend.target);
  }

  /** Whether `claim` has made this request the trial of a backend or key that has returned. */
  isOnTrial({ target }: Backend | UpstreamKey): boolean {
    return this.#disables.isTrial(target, this.#clock.now());
  }

  /** Gives a claim on a key back: somebody else is to try it. */
  giveBack({ target }: UpstreamKey): void {
    this.#disables.settleTrial(target, false, this.#clock.now());
  }

  /**
   * Whether a softly disabled backend may be tried before it returns: it was disabled so many milliseconds ago for having
   * failed. What rests by its upstream's own word is left alone, and so is a backend that only has no key.
   */
  isEarly(backend: Backend, afterMs: number): boolean {
    // Where probes look, they do so for everybody.
    if (this.#probedUntil(backend) !== 0) return false;
    const whole = this.#disables.find(backend.target);
    const model = this.modelFor(backend);
    const partial = model === undefined ? undefined : this.#disables.find(modelTarget(backend.target, model));
    if (whole === undefined && partial === undefined) return false;
    const beforeMs = this.#clock.now() - afterMs;
    if (whole !== undefined && (whole.hard || notBefore.has(whole.reason) || whole.sinceMs > beforeMs)) return false;
    // Of models only those that had nothing to say in time are disabled for having failed.
    if (partial !== undefined && (partial.hard || partial.reason !== 'Timeout' || partial.sinceMs > beforeMs)) {
      return false;
    }
    return backend.provider.config.credentials.type !== 'KeyPool' || this.#poolUntil(backend) === 0;
  }

  /** Keys of the backend's pool that may be used now. `override` adds those that are softly disabled. */
  keys(backend: Backend, override: boolean): readonly UpstreamKey[] {
    const model = this.modelFor(backend);
    const serving = this.#serving(backend);
    const enabled = serving.filter((key) => this.#until(key.target, model) === 0);
    if (enabled.length > 0 || !override) return enabled;
    return serving.filter((key) => !this.#isHardFor(key.target, model));
  }

  /** Untried keys of the pool: any, and any of another account than the one that failed. */
  keysLeft(backend: Backend, tried: ReadonlySet<string>, failed: UpstreamKey | undefined): KeysLeft {
    if (failed === undefined) return { any: false, otherAccount: false };
    const left = this.keys(backend, false).filter((key) => !tried.has(key.id));
    return { any: left.length > 0, otherAccount: left.some((key) => isOtherAccount(key, failed)) };
  }

  /** Whether a visit that has begun may send again: what is disabled softly meanwhile does not end it (rule 2). */
  mayGoOn(backend: Backend, override: boolean, key: UpstreamKey | undefined): 'yes' | 'with another key' | 'no' {
    if (this.isHard(backend)) return 'no';
    return key === undefined || this.keys(backend, override).includes(key) ? 'yes' : 'with another key';
  }

  /** Rule 21 for a key of `keys`. One that is at rest is used although it is: nothing has returned that could be tried. */
  claimKey({ target }: UpstreamKey): boolean {
    return this.#disables.until(target) !== 0 || this.#disables.claim(target);
  }

  /** Until when a probe has found its provider not to work; 0 where it works, or there are no probes. */
  #probedUntil({ provider: { probe } }: Backend): number {
    return probe === undefined ? 0 : this.#disables.until(probe.target);
  }

  #serving(backend: Backend): readonly UpstreamKey[] {
    const model = this.modelFor(backend);
    const now = this.#clock.now();
    return backend.provider.keys.filter(
      (key) => key.serves(model) && (key.expiresAtMs === undefined || key.expiresAtMs > now),
    );
  }

  #poolUntil(backend: Backend): number {
    const model = this.modelFor(backend);
    let soonest = Infinity;
    for (const key of this.#serving(backend)) {
      const until = this.#until(key.target, model);
      if (until === 0) return 0;
      if (until < soonest) soonest = until;
    }
    return soonest;
  }

  #until(target: string, model: string | undefined): number {
    const whole = this.#disables.until(target);
    return model === undefined ? whole : Math.max(whole, this.#disables.until(modelTarget(target, model)));
  }

  #isHardFor(target: string, model: string | undefined): boolean {
    if (this.#disables.find(target)?.hard === true) return true;
    return model !== undefined && this.#disables.find(modelTarget(target, model))?.hard === true;
  }
}
