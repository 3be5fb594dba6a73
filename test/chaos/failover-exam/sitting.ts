// One question put to one candidate: what the client got, what the provider saw, and what both are worth.

import { setTimeout as delay } from 'node:timers/promises';
import { backend, failover, provider, route, rule } from '../../support/config.ts';
import { recitation, reciter } from '../../support/reciter.ts';
import { openStage, type Stage } from '../../support/stage.ts';
import type { UpstreamRequest } from '../../support/upstream.ts';
import type { Candidate, Told } from './candidates.ts';
import { fallbackModels, type Question, questions, type Sitting, waits } from './questions.ts';

/** What a question was worth: as the benchmark scores it. */
export interface Mark {
  readonly verdict: 'pass' | 'partial' | 'safe' | 'fail';
  readonly note: string;
}

type ExamStage = Stage<'primary' | 'fallback'>;

const modelOf = ({ id }: Question): string => `fb-${id.toLowerCase()}`;
const healthy = 'fb-healthy';

/** One retry, one fallback, and streams that are gone on with unless it is said otherwise. */
export function openExam(
  { provider: type }: Candidate,
  afterContent: 'Resume' | 'Error' = 'Resume',
): Promise<ExamStage> {
  const asked = new Map<string, number>();
  const settings = failover({
    afterContent,
    retry: { attempts: 1, baseMillis: 300, maxMillis: 5000, jitterPercent: 20 },
    disable: { failures: 1, windowSeconds: 60, seconds: waits.disable },
  });
  const { patience } = waits;
  const timeouts = { firstContentSeconds: patience, responseSeconds: patience, idleSeconds: patience };
  const pair = (model: string, fallback: string): ReturnType<typeof rule> =>
    rule([backend('primary', { model }), backend('fallback', { model: fallback, priority: 1 })], {
      failover: settings,
      timeouts,
    });
  return openStage(
    {
      async primary(exchange) {
        const { request } = exchange;
        const model = String(request.json['model']);
        const before = asked.get(model) ?? 0;
        asked.set(model, before + 1);
        const question = questions.find((each) => modelOf(each) === model);
        await (question?.primary(request, before) ?? reciter())(exchange);
      },
      async fallback(exchange) {
        const refuses = exchange.request.json['model'] === 'fb-ok-noprefill';
        await reciter(refuses ? { prefill: 'refuses' } : {})(exchange);
      },
    },
    {
      draft: (usual) => ({
        providers: usual.providers.map(({ id, baseURL }) => {
          const name = id.slice(id.indexOf('/') + 1);
          const base = type === 'Anthropic' ? baseURL.replace(/\/v1$/, '') : baseURL;
          const large = fallbackModels.map((model) => {
            return { name: model, upstreamName: model, capabilities: ['Prefill'], maxContextTokens: 128_000 };
          });
          return provider(name, base, { type, models: name === 'fallback' ? large : [] });
        }),
        routes: [
          ...questions.map((each) => route(modelOf(each), [pair(modelOf(each), each.fallbackModel)])),
          route(healthy, [pair(healthy, 'fb-ok')]),
        ],
      }),
    },
  );
}

/** Puts one question. */
export async function sit(stage: ExamStage, candidate: Candidate, question: Question): Promise<Mark> {
  if (question.id === 'S15') return sitThrough(stage, candidate, question);
  const sitting = await ask(stage, candidate, question);
  const notes = question.checks.map(({ severity, fails }) => ({ severity, note: fails(sitting) }));
  const failed = (severity: string): string[] =>
    notes.flatMap((each) => (each.severity === severity && each.note !== false ? [each.note] : []));
  const seen = `${sitting.primary.length}p/${sitting.fallback.length}f ${sitting.seconds.toFixed(1)}s`;
  const mark = (verdict: Mark['verdict'], ...why: readonly string[]): Mark => ({
    verdict,
    note: [seen, ...why].join('; '),
  });
  const { told } = sitting;
  const truncated = told.error === undefined && told.text !== recitation;
  const wrong = [...(sitting.hung ? ['hung'] : []), ...(truncated ? ['TRUNCATED'] : []), ...failed('required')];
  if (wrong.length > 0) return mark('fail', ...wrong);
  const rescued = question.ideal === 'error' ? told.error !== undefined : told.error === undefined;
  if (!rescued) return mark(question.ideal === 'error' ? 'partial' : 'safe', told.error ?? 'answered all the same');
  return failed('advisory').length > 0 ? mark('partial', ...failed('advisory')) : mark('pass');
}

async function ask(stage: ExamStage, candidate: Candidate, question: Question): Promise<Sitting> {
  const beganAtMs = performance.now();
  const signal = AbortSignal.timeout(question.wallMax * 1000);
  const told = await tell(stage, candidate, modelOf(question), signal);
  const seconds = (performance.now() - beganAtMs) / 1000;
  const times = (requests: readonly UpstreamRequest[], model: string): number[] =>
    requests.filter(({ json }) => json['model'] === model).map(({ receivedAtMs }) => receivedAtMs);
  const { primary, fallback } = stage.upstreams;
  const after = await tell(stage, candidate, healthy, AbortSignal.timeout(10_000));
  return {
    told,
    seconds,
    hung: signal.aborted,
    primary: times(primary.requests, modelOf(question)),
    // Questions with this fallback are put one after the other: what it has seen since is this one's.
    fallback: times(fallback.requests, question.fallbackModel).filter((at) => at >= beganAtMs),
    alive: after.text === recitation,
  };
}

async function tell(stage: ExamStage, { ask: put }: Candidate, model: string, signal: AbortSignal): Promise<Told> {
  try {
    return { ...(await put(stage.gateway.url, model, signal)), error: undefined };
  } catch (error) {
    const message = error instanceof Error ? error.message : JSON.stringify(error);
    return { text: '', model: undefined, outputTokens: 0, error: message };
  }
}

/** Requests over an outage of the primary and beyond: all are answered, and then by the primary again. */
async function sitThrough(stage: ExamStage, candidate: Candidate, question: Question): Promise<Mark> {
  const { outage, betweenRequests, disable } = waits;
  const count = Math.ceil((outage + 2 * disable) / betweenRequests) + 2;
  const beganAtMs = performance.now();
  const models: (string | undefined)[] = [];
  let unserved = 0;
  for (let index = 0; index < count; index += 1) {
    const signal = AbortSignal.timeout(10_000);
    const told = await tell(stage, candidate, modelOf(question), signal);
    if (told.text !== recitation) unserved += 1;
    models.push(told.model);
    await delay(Math.max(0, beganAtMs + (index + 1) * betweenRequests * 1000 - performance.now()));
  }
  const duringOutage = stage.upstreams.primary.requests.filter(
    ({ json, receivedAtMs }) => json['model'] === modelOf(question) && receivedAtMs < beganAtMs + outage * 1000,
  ).length;
  const note = `${count - unserved}/${count} served; primary asked ${duringOutage} times while it was out`;
  const recovered = models.at(-1) === modelOf(question);
  if (unserved > 0 || !recovered)
    return { verdict: 'fail', note: `${note}; ${recovered ? '' : 'never back on the primary'}` };
  return { verdict: 'pass', note };
}
