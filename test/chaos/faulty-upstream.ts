// An upstream that fails in a different way every now and then, and the account of what it was sent meanwhile.

import { chat, markerOf } from '../support/chat.ts';
import { faults, slowFaults } from '../support/faults.ts';
import { type Script, type ScriptedUpstream, type UpstreamRequest } from '../support/upstream.ts';
import { oneOf, type Tally } from './crowd.ts';

/** Ways to fail before the first content, for any kind of request; `well` and `refused` are no scripts. */
const ways: readonly { readonly name: string; readonly script?: Script; readonly streamed?: Script }[] = [
  { name: 'well' },
  { name: 'refused' },
  scripted('reset', 'reset at once'),
  scripted('500', 'a 500'),
  scripted('503', 'a 503'),
  scripted('429', 'a 429'),
  scripted('429 with Retry-After', 'a 429 with Retry-After'),
  { name: 'hang', ...script(slowFaults['nothing at all']?.script) },
  scripted('garbage', 'garbage instead of HTTP'),
  scripted('empty 200', 'a 200 without a body'),
  scripted('error first', 'a 200 that is an error', 'an error event first'),
  scripted('role, then cut', 'half of the JSON', 'a stream cut after its role'),
];

function scripted(name: string, whole: string, streamed = whole): (typeof ways)[number] {
  return { name, ...script(faults[whole]?.script, faults[streamed]?.script) };
}

function script(whole: Script | undefined, streamed = whole): { script: Script; streamed: Script } {
  if (whole === undefined || streamed === undefined) throw new Error('no such fault');
  return { script: whole, streamed };
}

/** A request that failed, and when its failure was on its way back. */
interface FailedRequest {
  readonly request: UpstreamRequest;
  readonly way: string;
  readonly marker: string;
}

/** An upstream whose way to fail changes. */
export class FaultyUpstream {
  readonly name: string;
  readonly upstream: ScriptedUpstream;
  readonly failed: FailedRequest[] = [];
  readonly #injected: Tally;
  readonly #random: () => number;
  #way = oneOf(ways, () => 0);
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, upstream: ScriptedUpstream, injected: Tally, random: () => number) {
    this.name = name;
    this.upstream = upstream;
    this.#injected = injected;
    this.#random = random;
    upstream.script = (exchange) => this.#answer(exchange);
  }

  /** Changes its way from now on, every so often. */
  begin(everyMs: number): void {
    this.#timer = setInterval(() => void this.#change(), everyMs);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.upstream.accept();
  }

  async #change(): Promise<void> {
    this.#way = oneOf(ways, this.#random);
    if (this.#way.name === 'refused') await this.upstream.refuse();
    else await this.upstream.accept();
  }

  #answer(exchange: Parameters<Script>[0]): void | Promise<void> {
    const { name, script: whole, streamed } = this.#way;
    const chosen = exchange.request.json['stream'] === true ? streamed : whole;
    if (chosen === undefined) return chat(this.name)(exchange);
    this.#injected.add(name);
    this.failed.push({ request: exchange.request, way: name, marker: markerOf(exchange.request) });
    return chosen(exchange);
  }
}

/** What a run was set to. */
export interface ExtraSettings {
  readonly disableMs: number;
  /** After so long an upstream that hangs has failed. */
  readonly hangMs: number;
  /** What the two ends of a connection may differ by: what was sent before a failure was known arrives so much later. */
  readonly inFlightMs: number;
}

/**
 * Per time during which a backend must have been disabled: how many requests reached it all the same. Each model stands
 * for a route, and so for a backend of its own.
 */
export function extraAttempts(all: readonly FaultyUpstream[], settings: ExtraSettings): number[] {
  const poison = poisonIn(all);
  return all.flatMap(({ failed, upstream }) => {
    const requests = Map.groupBy(upstream.requests, ({ json }) => json['model']);
    const failures = Map.groupBy(failed, ({ request }) => request.json['model']);
    return [...failures].flatMap(([model, own]) => {
      const counting = own.filter((failure) => isEvidence(failure, poison, settings));
      return extrasOf(counting, requests.get(model) ?? [], settings);
    });
  });
}

function extrasOf(
  failures: readonly FailedRequest[],
  requests: readonly UpstreamRequest[],
  { disableMs, hangMs, inFlightMs }: ExtraSettings,
): number[] {
  let coveredUntilMs = 0;
  return failures.flatMap(({ request }) => {
    const overAtMs = overAt(request);
    if (overAtMs < coveredUntilMs || overAtMs === Infinity) return [];
    // A request that hangs is over for the gateway before its connection is seen to close, and may have arrived late:
    // servers accept one connection per turn of their loop.
    coveredUntilMs = Math.min(overAtMs, request.receivedAtMs + hangMs) + disableMs;
    const extra = requests.filter(
      ({ receivedAtMs }) => receivedAtMs > overAtMs + inFlightMs && receivedAtMs < coveredUntilMs - inFlightMs,
    );
    return [extra.length];
  });
}

function overAt({ answeredAtMs = Infinity, closedAtMs = Infinity }: UpstreamRequest): number {
  return Math.min(answeredAtMs, closedAtMs);
}

/** Two 500s of one body are one piece of evidence, and a kept connection that breaks is none (failure.md, 5 and row 4). */
function isEvidence(
  { request, way, marker }: FailedRequest,
  poison: ReadonlySet<string>,
  settings: ExtraSettings,
): boolean {
  if (way === '500') return !poison.has(marker);
  const isBroken = way === 'reset' || (way === 'hang' && overAt(request) < request.receivedAtMs + settings.hangMs);
  return !isBroken || request.earlierOnConnection === 0;
}

/** Markers of requests that more than one backend answered with 500. */
function poisonIn(all: readonly FaultyUpstream[]): ReadonlySet<string> {
  const markers = all.flatMap(({ failed }) => failed.filter(({ way }) => way === '500').map(({ marker }) => marker));
  return new Set(markers.filter((marker, index) => markers.indexOf(marker) !== index));
}
