// When an upstream says that trying again makes sense: one answer out of the dozen ways in which vendors say it.
// Pure: the time of day is an argument. Values that cannot be true are treated as if they were not there.

import type { SignalHeaders } from '../canonical/failure.ts';

/** Where a reset time may be written. */
export interface ResetHints {
  readonly headers: SignalHeaders;
  /** Google's `RetryInfo.retryDelay`. */
  readonly retryDelay: string | undefined;
  /** The error's prose in lower case: "please try again in 6m0s". */
  readonly text: string;
}

/** No wait is shorter: a reset "now" or in milliseconds would only be asked for again at once. */
export const resetMsMin = 1000;
/** Longest believed rest of a rate limit: limits are per minute, and a wrong hour would cost a whole key. */
export const rateResetMsMax = 300_000;
/** Longest believed rest of a quota: they are per day or month, and a daily look costs one request. */
export const quotaResetMsMax = 24 * 3_600_000;

/** Milliseconds from `nowMs` until the upstream's reset, between one second and `capMs`; undefined if it names none. */
export function resetMs(hints: ResetHints, nowMs: number, capMs: number): number | undefined {
  const named = namedMs(hints, nowMs);
  return named === undefined ? undefined : Math.min(capMs, Math.max(resetMsMin, Math.ceil(named)));
}

function namedMs({ headers, retryDelay, text }: ResetHints, nowMs: number): number | undefined {
  return (
    plainNumber(headers['retry-after-ms']) ??
    plainNumber(headers['x-ms-retry-after-ms']) ??
    retryAfterMs(headers['retry-after'], nowMs) ??
    (retryDelay === undefined ? undefined : durationMs(retryDelay)) ??
    proseMs(text) ??
    proseDateMs(text, nowMs) ??
    exhaustedDimensionsMs(headers, nowMs) ??
    policiesMs(headers['ratelimit'])
  );
}

/** A header as a number that is neither negative nor in a notation that only programming languages know. */
function plainNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d{1,15}(?:\.\d{1,15})?\s*$/.test(value) ? Number(value) : undefined;
}

/** RFC 9110, 10.2.3: seconds or a date. Fractions of seconds are no standard, but Azure and Groq send them. */
function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  const seconds = plainNumber(value);
  if (seconds !== undefined) return seconds * 1000;
  return value === undefined ? undefined : aheadMs(httpDateMs(value), nowMs);
}

/** RFC 9110, 5.6.7: three forms, all in GMT. The pattern comes first, because Date.parse takes nearly anything. */
function httpDateMs(value: string): number {
  if (!/^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? .{0,16}\d\d:\d\d:\d\d/i.test(value)) return Number.NaN;
  return Date.parse(/gmt\s*$/i.test(value) ? value : `${value} GMT`);
}

function aheadMs(dateMs: number, nowMs: number): number | undefined {
  return dateMs >= nowMs ? dateMs - nowMs : undefined;
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 0.000_001,
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Go's notation of durations, which OpenAI, Groq and Google use: `6m0s`, `2m59.56s`, `100ms`. */
function durationMs(value: string): number | undefined {
  return /^(?:\d{1,12}(?:\.\d{1,12})?(?:ns|us|µs|ms|s|m|h|d)){1,8}$/.test(value) ? sumMs(value) : undefined;
}

/** Adds up amounts with units; a unit is known by its first letter, except for those of less than a second. */
function sumMs(amounts: string): number {
  let sum = 0;
  for (const [, amount, unit = ''] of amounts.matchAll(/([\d.]+) ?([a-zµ]+)/g)) {
    sum += Number(amount) * (unitMs[unit] ?? unitMs[unit.startsWith('milli') ? 'ms' : unit.charAt(0)] ?? 0);
  }
  return sum;
}

const prose =
  /\b(?:try again|retry|wait|will reset)(?: again)?(?: in| after| for)?:? ((?:\d{1,12}(?:\.\d{1,12})? ?(?:milliseconds?|seconds?|minutes?|hours?|days?|ms|s|m|h|d)\b[ ,]{0,2}|\d{1,12}(?:\.\d{1,12})?(?:h|m)(?=\d)){1,8})/;

/** "Please try again in 5.289s", "retry after 20 seconds", "in 14m23.5s", in lower case. */
function proseMs(text: string): number | undefined {
  const wait = prose.exec(text)?.[1];
  return wait === undefined ? undefined : sumMs(wait);
}

const proseDate = /\bregain access on (\d{4}-\d\d-\d\d) at (\d\d:\d\d) utc/;
const proseTimeSpan = /\bwill be replenished in (?:(\d{1,3})\.)?(\d\d):(\d\d):(\d\d)/;

/** Anthropic's "you will regain access on 2026-02-01 at 00:00 UTC", Azure's "will be replenished in 10.00:00:00". */
function proseDateMs(text: string, nowMs: number): number | undefined {
  const [, day, time] = proseDate.exec(text) ?? [];
  if (day !== undefined) return aheadMs(Date.parse(`${day}T${time}Z`), nowMs);
  const span = proseTimeSpan.exec(text);
  if (span === null) return undefined;
  const [days, hours, minutes, seconds] = span.slice(1).map((amount) => Number(amount ?? 0));
  return 1000 * ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0));
}

/**
 * The latest reset among the dimensions (requests, tokens, …) that have nothing left. Others do not matter: they reset
 * at times that have nothing to do with this refusal, and some vendors send -1 and 0 for what they do not count.
 */
function exhaustedDimensionsMs(headers: SignalHeaders, nowMs: number): number | undefined {
  let latestMs: number | undefined;
  for (const [name, value] of Object.entries(headers)) {
    if (!/rate-?limit/.test(name)) continue;
    const reset = resetHeader(name, value);
    const ms = reset === undefined ? undefined : momentMs(headers[reset], nowMs);
    if (ms !== undefined) latestMs = Math.max(latestMs ?? 0, ms);
  }
  return latestMs;
}

/** The name of the reset header that belongs to a header saying "nothing left"; undefined for every other header. */
function resetHeader(name: string, value: string | undefined): string | undefined {
  if (name.includes('remaining')) return plainNumber(value) === 0 ? name.replace('remaining', 'reset') : undefined;
  // Anthropic's unified limits have no remainder, but a verdict.
  return name.endsWith('-status') && value === 'rejected' ? name.replace('-status', '-reset') : undefined;
}

/**
 * The IETF's `RateLimit: "burst";r=0;t=30, "daily";r=12;t=3600`, and its older form `limit=100, remaining=0, reset=30`
 * (draft-ietf-httpapi-ratelimit-headers): the latest reset among the policies that have nothing left.
 */
function policiesMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const resets = (value.includes('remaining=') ? [value] : value.split(','))
    .filter((policy) => /\b(?:r|remaining)=0\b/.test(policy))
    .map((policy) => /\b(?:t|reset)=(\d{1,9})\b/.exec(policy)?.[1])
    .filter((seconds) => seconds !== undefined);
  return resets.length === 0 ? undefined : 1000 * Math.max(...resets.map(Number));
}

/** From this many on, a number is a point in time and not a duration of 31 years. */
const epochSecondsMin = 1_000_000_000;
const epochMsMin = 1_000_000_000_000;

/** A reset header: Go duration, bare seconds, RFC 3339, or Unix time in seconds or milliseconds. */
function momentMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const number = plainNumber(value);
  if (number === undefined) {
    return /^\d{4}-\d\d-\d\dt\d\d:\d\d/i.test(value) ? aheadMs(Date.parse(value), nowMs) : durationMs(value.trim());
  }
  if (number >= epochMsMin) return aheadMs(number, nowMs);
  return number >= epochSecondsMin ? aheadMs(number * 1000, nowMs) : number * 1000;
}
