// Clients of a Service: steady requests to whichever proxies are ready, every answer looked at.

import { setTimeout as delay } from 'node:timers/promises';
import { chatRequest } from '../../support/chat.ts';
import { ask, contentOf, streamedContentOf } from '../../support/client.ts';

/** Requests that go on. */
export interface SteadyTraffic extends AsyncDisposable {
  /** Where requests go, in turn; as endpoints of a Service come and go. */
  readonly endpoints: Set<string>;
  readonly sent: number;
  /** What went wrong, one line for each request. */
  readonly failures: readonly string[];
  /** The backend that answered last. */
  readonly answeredBy: string;
  /** Ends, and waits for the last answers. */
  stop(): Promise<void>;
}

/** Clients at the same time, and what each waits between two requests. */
const clients = 4;
const pauseMs = 15;

/** Begins: chat completions at a path of every endpoint, every other one streamed. `urls` are the first endpoints. */
export function startTraffic(path: string, key: string, urls: readonly string[]): SteadyTraffic {
  const endpoints = new Set(urls);
  const failures: string[] = [];
  let sent = 0;
  let answeredBy = '';
  let stopped = false;

  async function request(number: number): Promise<void> {
    const all = [...endpoints];
    const endpoint = all[number % all.length];
    if (endpoint === undefined) return void failures.push(`${number}: no endpoint`);
    const isStream = number % 2 === 1;
    const body = chatRequest(`m${number}`, isStream ? { stream: true } : {});
    const headers = { authorization: `Bearer ${key}` };
    const answer = await ask(endpoint + path, { body, headers });
    if (answer.status !== 200 || answer.broken) throw new Error(`${answer.status} ${answer.text.slice(0, 200)}`);
    const words = (isStream ? streamedContentOf(answer) : contentOf(answer)).trim().split(' ');
    const [backend = ''] = words[0]?.split('~') ?? [];
    const wanted = Array.from({ length: 5 }, (_, index) => `${backend}~m${number}~${index}`);
    if (words.join(' ') !== wanted.join(' ')) throw new Error(`an answer that is none: ${words.join(' ')}`);
    answeredBy = backend;
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const number = sent++;
      await request(number).catch((error: unknown) => {
        const { message, cause } = error as Error;
        failures.push(`${number}: ${message} ${cause instanceof Error ? cause.message : ''}`);
      });
      await delay(pauseMs);
    }
  }

  const running = Promise.all(Array.from({ length: clients }, run));
  const stop = async (): Promise<void> => {
    stopped = true;
    await running;
  };
  return {
    endpoints,
    failures,
    get sent() {
      return sent;
    },
    get answeredBy() {
      return answeredBy;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
