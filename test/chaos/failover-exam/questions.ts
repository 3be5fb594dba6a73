// The sixteen faults of Failover Bench (github.com/failoverbench/failoverbench, methodology 0.1): what the provider does
// wrong, and what must come of it. Written after the published descriptions of the scenarios.

import { failure } from '../../support/anthropic-answers.ts';
import { reciter } from '../../support/reciter.ts';
import { answer, stopAtOnce } from '../../support/scripts.ts';
import type { Script, UpstreamRequest } from '../../support/upstream.ts';
import { sized } from '../scale.ts';
import type { Told } from './candidates.ts';

/** Waits in seconds: those that are published where the chaos tests run in full, else as short as can be told apart. */
export const waits = {
  retryAfter: 2,
  slowFirstToken: sized({ usual: 3, full: 20 }),
  stall: sized({ usual: 5, full: 30 }),
  silence: sized({ usual: 8, full: 120 }),
  outage: sized({ usual: 6, full: 60 }),
  betweenRequests: sized({ usual: 1, full: 4 }),
  /** How long what is slow is waited for: the route's deadlines. */
  patience: sized({ usual: 1, full: 10 }),
  /** How long a backend is out that has failed. */
  disable: sized({ usual: 1, full: 10 }),
};

/** What a question came to. */
export interface Sitting {
  readonly told: Told;
  readonly seconds: number;
  readonly hung: boolean;
  /** When the primary and the fallback were asked; milliseconds. */
  readonly primary: readonly number[];
  readonly fallback: readonly number[];
  /** A healthy request was answered afterwards. */
  readonly alive: boolean;
}

/** What must hold; the sentence says what did not. `advisory`: it is noted, and no failure. */
export interface Check {
  readonly severity: 'required' | 'advisory';
  readonly fails: (sitting: Sitting) => string | false;
}

/** What the fallback is asked for: one of them refuses the beginning of an answer, one has a question for itself. */
export const fallbackModels = ['fb-ok', 'fb-ok-noprefill', 'fb-ok-all-along'] as const;
type FallbackModel = (typeof fallbackModels)[number];

/** One fault. */
export interface Question {
  readonly id: string;
  readonly title: string;
  /** How the primary answers; asked with each request, and told how many there were before. */
  readonly primary: (request: UpstreamRequest, before: number) => Script;
  readonly fallbackModel: FallbackModel;
  /** What the client is to get; an answer if it is not said. */
  readonly ideal: 'answer' | 'error';
  /** Seconds after which the client has waited in vain. */
  readonly wallMax: number;
  readonly checks: readonly Check[];
}

const required = (fails: Check['fails']): Check => ({ severity: 'required', fails });
const advisory = (fails: Check['fails']): Check => ({ severity: 'advisory', fails });

const primaryAtMost = (most: number): Check['fails'] => {
  return ({ primary }) => primary.length > most && `asked the primary ${primary.length} times`;
};
const primaryAtLeast = (least: number): Check['fails'] => {
  return ({ primary }) => primary.length < least && `asked the primary ${primary.length} times`;
};
const within = (seconds: number, most: number): Check['fails'] => {
  return ({ primary: [first = 0, ...others] }) =>
    others.filter((at) => at - first < seconds * 1000).length >= most && 'hammered the primary';
};
const wallMax = (seconds: number): Check['fails'] => {
  return (sitting) => sitting.seconds > seconds && `took ${sitting.seconds.toFixed(1)} s`;
};
const usagePresent: Check['fails'] = ({ told }) => !(told.outputTokens > 0) && 'has no usage';
const isAlive: Check['fails'] = ({ alive }) => !alive && 'did not answer a healthy request afterwards';

function refusal({ target }: UpstreamRequest, status: number, code: string, message: string, headers = {}): Script {
  if (target.endsWith('/messages')) {
    const type =
      { 400: 'invalid_request_error', 429: 'rate_limit_error', 503: 'overloaded_error' }[status] ?? 'api_error';
    const error = { type: 'error', error: { type, message } };
    return Object.keys(headers).length === 0 ? failure(status, type, message) : answer(error, { status, headers });
  }
  const type = status === 400 ? 'invalid_request_error' : status === 429 ? 'rate_limit_error' : 'server_error';
  return answer({ error: { message, type, param: null, code } }, { status, headers });
}

const well = reciter();
const overloaded = (request: UpstreamRequest): Script => {
  return refusal(request, 503, 'overloaded', 'The engine is currently overloaded. Please try again later.');
};
const limited = (request: UpstreamRequest, headers?: Record<string, string>): Script => {
  return refusal(request, 429, 'rate_limit_exceeded', 'Rate limit reached.', headers);
};

type Draft = Partial<Question> & Pick<Question, 'primary' | 'checks'>;

function question(id: string, title: string, draft: Draft): Question {
  return { fallbackModel: 'fb-ok', ideal: 'answer', wallMax: 20, ...draft, id, title };
}

/** All of them, in their order. */
export const questions: readonly Question[] = [
  question('S01', '429 with Retry-After, once', {
    primary: (request, before) => {
      return before === 0 ? limited(request, { 'retry-after': String(waits.retryAfter) }) : well;
    },
    checks: [
      required(within(1.5, 2)),
      advisory(primaryAtLeast(2)),
      advisory(({ primary: [first = 0, second = 0] }) => second - first < 1800 && 'did not wait as it was told'),
    ],
  }),
  question('S02', '429 for ever', {
    primary: (request) => limited(request),
    checks: [required(within(3, 4)), required(primaryAtMost(6))],
  }),
  question('S03', '500 once', {
    primary: (request, before) =>
      before === 0 ? refusal(request, 500, 'server_error', 'The server had an error.') : well,
    checks: [advisory(primaryAtLeast(2))],
  }),
  question('S04', '503 for ever', { primary: overloaded, checks: [required(primaryAtMost(6))] }),
  question('S05', 'reset before the head, once', {
    primary: (_request, before) => (before === 0 ? stopAtOnce('reset') : well),
    checks: [],
  }),
  question('S06', 'no response at all', {
    primary: () => (exchange) => exchange.wait(waits.silence * 1000),
    wallMax: waits.silence,
    checks: [advisory(primaryAtMost(1))],
  }),
  question('S07', 'slow first token', {
    primary: () => reciter({ firstAfterMs: waits.slowFirstToken * 1000 }),
    wallMax: waits.slowFirstToken + 20,
    checks: [advisory(wallMax(waits.slowFirstToken * 0.75))],
  }),
  question('S08', 'cut after content', { primary: () => reciter({ stopAfter: 40 }), checks: [] }),
  question('S09', 'stall after content', {
    primary: () => reciter({ stopAfter: 20, stop: 'stall' }),
    wallMax: waits.stall + 15,
    checks: [required(wallMax(waits.stall * 1.5)), required(isAlive)],
  }),
  question('S10', 'malformed event', { primary: () => reciter({ malformedAfter: 10 }), checks: [required(isAlive)] }),
  question('S11', 'no [DONE]', {
    primary: () => reciter({ unmarked: true }),
    checks: [required(wallMax(8)), advisory(usagePresent)],
  }),
  question('S12', 'context length', {
    primary: (request) => {
      const message =
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9631 tokens.";
      const theirs = 'prompt is too long: 9631 tokens > 8192 maximum';
      const isTheirs = request.target.endsWith('/messages');
      return refusal(request, 400, 'context_length_exceeded', isTheirs ? theirs : message);
    },
    checks: [required(primaryAtMost(1))],
  }),
  question('S13', 'content filter', {
    ideal: 'error',
    primary: (request) => {
      return refusal(
        request,
        400,
        'content_policy_violation',
        'Your request was rejected as a result of our safety system.',
      );
    },
    checks: [
      required(primaryAtMost(1)),
      required(({ told }) => !(told.error ?? '').includes('safety system') && `gives another reason: ${told.error}`),
    ],
  }),
  question('S14', 'cut, and the fallback refuses prefill', {
    primary: () => reciter({ stopAfter: 40 }),
    fallbackModel: 'fb-ok-noprefill',
    checks: [required(({ told }) => (told.error ?? '').includes('prefill') && 'shows the refusal of the prefill')],
  }),
  question('S15', 'a primary that flaps', {
    primary: (request) => (request.receivedAtMs < outageEndsAtMs(request) ? overloaded(request) : well),
    fallbackModel: 'fb-ok-all-along',
    wallMax: waits.outage * 3,
    checks: [],
  }),
  question('S16', 'accounting', {
    primary: overloaded,
    checks: [
      required(({ told }) => told.model !== 'fb-ok' && `names the model ${told.model}`),
      advisory(usagePresent),
      required(primaryAtMost(6)),
    ],
  }),
];

/** Outages begin with the first request. */
const began = new Map<string, number>();

function outageEndsAtMs({ json, receivedAtMs }: UpstreamRequest): number {
  const model = String(json['model']);
  if (!began.has(model)) began.set(model, receivedAtMs);
  return (began.get(model) ?? 0) + waits.outage * 1000;
}
