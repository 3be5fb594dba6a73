// Watches the requests of one proxy: before each attempt whether it may be made, and of each answer whether it is what the
// truth about the providers allows.

import type { AttemptRecord, Observer, Trail } from '../../../proxy/accounting/trail.ts';
import { receivedBy, type SimulatedExchange } from './client.ts';
import type { Leaf } from './installation.ts';
import { type Asked, Outlook } from './outlook.ts';
import { wordCount, wordOf } from './reactions.ts';
import type { Sight } from './sight.ts';
import { Spendings } from './spendings.ts';

/** Attempts of one request, whatever the pools hold (failure.md, rule 1). */
const sendsMax = 16;
/** How long after a request something of it may be under way to a provider. */
const abortMaxMs = 100;
/** What a claim may take: a command to Redis has 50 ms, and timers are late. */
const claimMaxMs = 100;
/** How much later than its deadline a request may end: timers are late, and messages take a while. */
const graceMs = 200;

interface Watched extends Asked {
  trail: Trail | undefined;
  accounted: number;
  /** Backends that were tried although something was held against them. */
  readonly overridden: Set<string>;
  visits: number;
}

/** Watches requests. */
export class RequestWatch implements Observer {
  readonly #settings: Sight;
  readonly #outlook: Outlook;
  readonly #spendings: Spendings;
  readonly #requests = new Map<string, Watched>();
  /** The trial in which an attempt was made last, by target; and when a backend was tried early. */
  readonly #trialOf = new Map<string, number>();
  readonly #earlyMs = new Map<string, number>();
  readonly #byId: ReadonlyMap<string, Leaf>;
  /** Names of backends that answered a client who insisted on them, since the weather is calm. */
  readonly answeredPins = new Set<string>();

  constructor(settings: Sight) {
    this.#settings = settings;
    this.#outlook = new Outlook(settings);
    this.#spendings = new Spendings(settings);
    this.#byId = new Map(settings.leaves.map((leaf) => [leaf.id, leaf]));
  }

  get underWay(): number {
    return this.#requests.size;
  }

  arrived(exchange: SimulatedExchange): void {
    const { wish } = exchange;
    const { proxy, ledger } = this.#settings;
    ledger.say(
      `${proxy.name} is asked ${wish.marker}${wish.stream ? ' streamed' : ''}${wish.pin ? ` at ${wish.pin}` : ''}`,
    );
    ledger.count(wish.pin === undefined ? 'request' : 'request pinned');
    const arrivedMs = exchange.receivedAtMs;
    const { snapshot } = proxy;
    const fresh = {
      exchange,
      snapshot,
      arrivedMs,
      trail: undefined,
      accounted: 0,
      overridden: new Set<string>(),
      visits: 0,
    };
    this.#requests.set(wish.marker, fresh);
    this.#spendings.request();
  }

  attemptStarted(trail: Trail, record: AttemptRecord): undefined {
    const watched = this.#requests.get(trail.id);
    const leaf = this.#byId.get(record.backend);
    const { ledger, proxy, form } = this.#settings;
    ledger.say(
      `${proxy.name} ${trail.id} tries ${record.backend}${record.key === undefined ? '' : ` with ${record.key}`}`,
    );
    ledger.count('attempt');
    if (watched === undefined || leaf === undefined) {
      ledger.breach('I1', `${proxy.name}: an attempt of ${trail.id} on ${record.backend} that nobody asked for`);
      return;
    }
    watched.trail = trail;
    const earlier = trail.attempts.slice(0, -1);
    // Of two visits at once either may go on; else only the latest.
    const before =
      form.hedgeSeconds === undefined ? earlier.at(-1) : earlier.findLast(({ backend }) => backend === record.backend);
    const goesOn = before?.backend === record.backend;
    const isBeside = earlier.some(({ endedAtMs, backend }) => endedAtMs === undefined && backend !== record.backend);
    if (isBeside && !goesOn) this.#spendings.spend('hedge', trail.id);
    this.#checkCaps(watched, trail, record, before, goesOn);
    this.#checkHard(leaf, record);
    if (!goesOn) this.#checkOrder(watched, trail, record, leaf);
    else if (before.key === record.key && watched.exchange.wish.pin === undefined)
      this.#spendings.spend('retry', trail.id);
    this.#checkKey(watched, record, leaf);
    this.#checkTrial(watched, record, leaf, goesOn);
  }

  attemptEnded(trail: Trail, record: AttemptRecord): void {
    const { ledger, proxy } = this.#settings;
    const { backend, status, failure } = record;
    ledger.say(`${proxy.name} ${trail.id} ${backend}: ${failure?.class ?? 'no failure'} ${status ?? ''}`);
    ledger.count(`attempt ${failure?.class ?? 'well'}`);
  }

  requestEnded(trail: Trail): void {
    const watched = this.#requests.get(trail.id);
    if (watched === undefined) return;
    watched.trail = trail;
    watched.accounted += 1;
  }

  /** The handler has done with a request. */
  over(exchange: SimulatedExchange): void {
    const { wish } = exchange;
    const watched = this.#requests.get(wish.marker);
    if (watched === undefined) return;
    this.#requests.delete(wish.marker);
    this.#checkEnd(watched);
    this.#checkAnswer(watched);
    this.#settings.time.after(abortMaxMs, () => this.#checkOver(exchange));
  }

  /** A client that left some time ago must have no request under way any more. */
  checkGone({ wish, leftMs }: SimulatedExchange): void {
    const { calls, ledger, proxy } = this.#settings;
    if (leftMs === undefined || !calls.has(wish.marker)) return;
    ledger.breach('I10', `${proxy.name}: ${wish.marker} is under way to a provider although its client has left`);
  }

  /** Whatever was asked for a request ends with it. */
  #checkOver({ wish }: SimulatedExchange): void {
    const { calls, ledger, proxy } = this.#settings;
    if (proxy.isStill || !calls.has(wish.marker)) return;
    ledger.breach('I10', `${proxy.name}: ${wish.marker} is over, and still under way to a provider`);
  }

  #checkCaps(
    watched: Watched,
    trail: Trail,
    record: AttemptRecord,
    before: AttemptRecord | undefined,
    goesOn: boolean,
  ): void {
    const { ledger, form, proxy } = this.#settings;
    if (!goesOn || before?.key === record.key) watched.visits += 1;
    if (watched.visits > form.maxAttempts && form.probeSeconds === undefined) {
      ledger.breach('I5', `${proxy.name}: ${trail.id} makes visit ${watched.visits} of ${form.maxAttempts}`);
    }
    if (record.number > sendsMax) ledger.breach('I5', `${proxy.name}: ${trail.id} sends ${record.number} requests`);
    const lateMs = record.startedAtMs - trail.startedAtMs - form.totalMs;
    if (lateMs > proxy.stoodStillSince(watched.exchange.arrivedMs))
      ledger.breach('I5', `${proxy.name}: ${trail.id} tries ${record.backend} ${lateMs} ms too late`);
    if (watched.exchange.leftMs !== undefined) {
      ledger.breach('I10', `${proxy.name}: ${trail.id} tries ${record.backend} after its client has left`);
    }
  }

  #checkHard({ id }: Leaf, { key, model }: AttemptRecord): void {
    const { proxy, ledger } = this.#settings;
    for (const target of targetsOf(`backend:${id}`, model).concat(
      key === undefined ? [] : targetsOf(`key:${key}`, model),
    )) {
      if (proxy.expected.isHard(target))
        ledger.breach('I9', `${proxy.name}: ${target} is used although it is disabled hard`);
    }
  }

  /** A backend comes up: it is the best that is left. */
  #checkOrder(watched: Watched, trail: Trail, record: AttemptRecord, leaf: Leaf): void {
    const { ledger, proxy, leaves, form } = this.#settings;
    const { pin } = watched.exchange.wish;
    const tried = new Set(trail.attempts.map(({ backend }) => backend));
    const isOut = this.#outlook.isOut(leaf, record.model);
    const isTried = this.#outlook.isOnTrial(leaf);
    if (pin !== undefined) {
      if (!leaf.id.endsWith(`/${pin}`))
        ledger.breach('I3', `${proxy.name}: ${trail.id} is pinned to ${pin}, not ${leaf.id}`);
      return;
    }
    if (trail.attempts.slice(0, -1).some(({ backend }) => backend === leaf.id)) {
      ledger.breach('I3', `${proxy.name}: ${trail.id} comes back to ${leaf.id}`);
    }
    // A process that stands still hedges what it has not even sent.
    const isLate = form.hedgeSeconds !== undefined && proxy.stoodStillSince(watched.exchange.arrivedMs) > 0;
    // Whoever was skipped for the trial of another stays skipped.
    const better = leaves.find(
      (other) =>
        !tried.has(other.id) &&
        (isOut || (other.tier < leaf.tier && !isLate)) &&
        !this.#outlook.wasOutSince(other, watched.arrivedMs),
    );
    const isFirstChoice = better === undefined && form.whenAllDisabled !== 'Fail';
    if (!isFirstChoice && isOut && this.#isEarlyTrial(leaf, record.model)) {
      watched.overridden.add(leaf.id);
      // It is no attempt of the client's.
      watched.visits -= 1;
      return;
    }
    if (better !== undefined) {
      const why = isOut ? 'is out' : 'is of a lower tier';
      ledger.breach('I3', `${proxy.name}: ${trail.id} tries ${leaf.id}, which ${why}, before ${better.id}`);
    }
    if (!isOut && !isTried) return;
    watched.overridden.add(leaf.id);
    if (form.whenAllDisabled === 'Fail') {
      // Whose trial it is that runs is not known here: it may be this very attempt.
      if (isOut)
        ledger.breach('I3', `${proxy.name}: ${trail.id} tries ${leaf.id}, which is out, where the rule is to fail`);
      return;
    }
    // Where nothing else is left an early trial looks like any attempt on a backend that is out, but costs nothing.
    if (isOut && form.probeSeconds === undefined) this.#spendings.spend('override', trail.id);
  }

  #checkKey(watched: Watched, { key, model, backend }: AttemptRecord, leaf: Leaf): void {
    const { ledger, proxy } = this.#settings;
    if (key === undefined || watched.overridden.has(backend) || watched.exchange.wish.pin !== undefined) return;
    if (!this.#outlook.isKeyOut(`key:${key}`, model)) return;
    ledger.breach('I3', `${proxy.name}: ${key} is used at ${leaf.id} although it is out`);
  }

  /** Whoever tries a backend that owes a trial has claimed that trial, and is the only one, unless there is nothing else. */
  #checkTrial(watched: Watched, record: AttemptRecord, leaf: Leaf, goesOn: boolean): void {
    const { ledger, proxy } = this.#settings;
    const target = `backend:${leaf.id}`;
    const { owes, trialMs, trials } = proxy.expected.of(target);
    if (goesOn || !owes || this.#outlook.isOut(leaf, record.model)) return;
    if (watched.exchange.wish.pin !== undefined || this.#othersAreGone(watched, record, leaf)) return;
    // One that began as an early trial has the right to be the only one, whatever has ended meanwhile.
    if (trialMs === undefined && this.#settings.form.probeSeconds !== undefined) return;
    if (trialMs === undefined) ledger.breach('I3', `${proxy.name}: ${leaf.id} is tried without a claim to its trial`);
    else if (this.#trialOf.get(target) === trials)
      ledger.breach('I3', `${proxy.name}: two try ${leaf.id} in one trial`);
    else this.#trialOf.set(target, trials);
  }

  /** A backend that is out may be tried to see whether it works, now and then, if it has failed some time ago. */
  #isEarlyTrial({ id }: Leaf, model: string | undefined): boolean {
    const { form, proxy, ledger } = this.#settings;
    if (form.probeSeconds === undefined) return false;
    const periodMs = form.probeSeconds * 1000;
    const nowMs = proxy.clock.now();
    const held = targetsOf(`backend:${id}`, model)
      .flatMap((target) => [proxy.expected.of(target).hard, proxy.expected.of(target).soft])
      .filter((entry) => entry !== undefined && entry.untilMs > nowMs);
    // Whoever claimed it did so up to a command's deadline ago.
    const isTooSoon = (sinceMs: number): boolean => nowMs - sinceMs < periodMs && nowMs - sinceMs > claimMaxMs;
    if (held.some((entry) => entry === undefined || entry.hard || isTooSoon(entry.sinceMs))) return false;
    if (
      nowMs - (this.#earlyMs.get(id) ?? -Infinity) <
      periodMs - claimMaxMs - proxy.stoodStillSince(this.#settings.time.nowMs - periodMs)
    ) {
      ledger.breach('I3', `${proxy.name}: ${id} is tried early twice within ${periodMs} ms`);
    }
    this.#earlyMs.set(id, nowMs);
    ledger.count('early trial');
    return true;
  }

  #othersAreGone({ arrivedMs, trail }: Watched, { backend }: AttemptRecord, leaf: Leaf): boolean {
    const tried = new Set(trail?.attempts.map((attempt) => attempt.backend));
    return this.#settings.leaves.every(
      (other) =>
        other === leaf || other.id === backend || tried.has(other.id) || this.#outlook.wasOutSince(other, arrivedMs),
    );
  }

  #checkEnd({ exchange, accounted, arrivedMs }: Watched): void {
    const { ledger, proxy, form } = this.#settings;
    const { wish, ends, cut, misuse, leftMs } = exchange;
    const ended = ends + (cut ? 1 : 0);
    const lastedMs = proxy.clock.now() - arrivedMs;
    ledger.say(
      `${proxy.name} ${wish.marker} is over: ${exchange.status} after ${lastedMs} ms${leftMs === undefined ? '' : ', its client had left'}`,
    );
    if (misuse !== undefined) ledger.breach('I1', `${proxy.name}: ${wish.marker}: ${misuse}`);
    if (leftMs === undefined && ended !== 1) ledger.breach('I1', `${proxy.name}: ${wish.marker} ended ${ended} times`);
    if (accounted !== 1) ledger.breach('I1', `${proxy.name}: ${wish.marker} was accounted for ${accounted} times`);
    if (wish.slowMs === 0 && lastedMs > form.totalMs + graceMs + proxy.stoodStillSince(exchange.arrivedMs)) {
      ledger.breach('I1', `${proxy.name}: ${wish.marker} took ${lastedMs} ms`);
    }
  }

  #checkAnswer(watched: Watched): void {
    const { exchange } = watched;
    const { ledger, proxy } = this.#settings;
    const { wish, leftMs } = exchange;
    const { words, looksWhole, error } = receivedBy(exchange);
    const [source = ''] = (words[0] ?? '').split('~');
    const expected = words.map((_, index) => wordOf(source, wish.marker, index).trimEnd());
    if (words.join(' ') !== expected.join(' ')) {
      ledger.breach('I2', `${proxy.name}: ${wish.marker} was answered ${words.join(' ')}`);
    }
    if (looksWhole && words.length !== wordCount) {
      ledger.breach('I2', `${proxy.name}: ${wish.marker} looks whole with ${words.length} words`);
    }
    if (leftMs !== undefined) {
      ledger.count('client left');
      return;
    }
    ledger.count(looksWhole ? 'answered' : `told ${error ?? 'nothing'}`);
    const begun = watched.trail?.attempts.filter(({ firstContentAtMs }) => firstContentAtMs !== undefined) ?? [];
    if (begun.length > 1) ledger.count(looksWhole ? 'resumed' : 'resumed in vain');
    if (looksWhole && wish.pin !== undefined) this.answeredPins.add(wish.pin);
    if (looksWhole) return;
    if (error === undefined && !exchange.cut) ledger.breach('I2', `${proxy.name}: ${wish.marker} was told nothing`);
    const excuse = this.#outlook.excuseFor(watched, source, error);
    if (excuse === undefined) {
      ledger.breach(
        'I8',
        `${proxy.name}: ${wish.marker} failed (${exchange.status} ${error}) though a healthy backend was there`,
      );
    } else {
      ledger.count(`excused: ${excuse}`);
    }
  }
}

function targetsOf(target: string, model: string | undefined): string[] {
  return model === undefined ? [target] : [target, `${target}#${model}`];
}
