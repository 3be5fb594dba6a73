// Steady traffic over several gateways on a fixed schedule, whatever the answers take: what waits is not left out of the
// figures. Every answer is compared with what one backend says to this very request.

import { Agent, type IncomingMessage, request } from 'node:http';
import { chatRequest, markedText } from '../support/chat.ts';
import { contentOf, streamedContentOf } from '../support/client.ts';

/** One request and what came of it. Times by `performance.now()`. */
export interface Outcome {
  /** When it was due. */
  readonly atMs: number;
  readonly tookMs: number;
  /** Undefined: answered, whole, by one backend. */
  readonly failure: string | undefined;
  /** Connections that were refused, or broken before they carried an answer because their listener had closed. */
  readonly refused: number;
}

/** A place to send requests to. */
export interface Target {
  readonly url: string;
}

/** How a request is sent. */
export interface LoadOptions {
  /** Asked again for every request and every attempt. */
  readonly targets: () => readonly Target[];
  readonly path: string;
  readonly perSecond: number;
  readonly stream?: boolean;
  /** Words of an answer, if it is to be compared. */
  readonly words?: number;
  readonly backends: readonly string[];
}

/**
 * Connections that nobody used for so long are closed here, a minute before the gateways would: a machine that stood still
 * for seconds must not make this client take one that they have closed meanwhile.
 */
const idleMs = 12_000;

let sentTotal = 0;

/** Traffic that goes on until it is stopped. */
export class Load {
  readonly outcomes: Outcome[] = [];
  readonly #options: LoadOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #gapMs: number;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  #turn = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#gapMs = 1000 / options.perSecond;
  }

  start(): this {
    this.#dueMs = performance.now();
    this.#tick();
    return this;
  }

  /** Sends nothing more; resolves when all is answered. */
  async stop(): Promise<readonly Outcome[]> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await Promise.all(this.#underWay);
    for (const agent of this.#agents.values()) agent.destroy();
    return this.outcomes;
  }

  /** What was due between two times. */
  between(fromMs: number, toMs: number): readonly Outcome[] {
    return this.outcomes.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  }

  #tick(): void {
    for (; this.#dueMs <= performance.now(); this.#dueMs += this.#gapMs) {
      const sending = this.#send(this.#dueMs).finally(() => this.#underWay.delete(sending));
      this.#underWay.add(sending);
    }
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#dueMs - performance.now()));
  }

  async #send(atMs: number): Promise<void> {
    let refused = 0;
    for (;;) {
      const targets = this.#options.targets();
      const target = targets[this.#turn++ % targets.length];
      if (target === undefined) throw new Error('nowhere to send to');
      const { failure, retry } = await this.#ask(target);
      // Whoever finds a closed door goes to the next one; a second closed one may be the first again.
      if (retry && refused < 10) {
        refused += 1;
        continue;
      }
      this.outcomes.push({ atMs, tookMs: performance.now() - atMs, failure, refused });
      return;
    }
  }

  #agent(url: string): Agent {
    let agent = this.#agents.get(url);
    if (agent === undefined) this.#agents.set(url, (agent = new Agent({ keepAlive: true, timeout: idleMs })));
    return agent;
  }

  #ask({ url }: Target): Promise<{ readonly failure: string | undefined; readonly retry: boolean }> {
    const marker = `m${++sentTotal}`;
    const { stream = false } = this.#options;
    const body = JSON.stringify(chatRequest(marker, { stream }));
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    return new Promise((resolve) => {
      const sent = request(`${url}${this.#options.path}`, { method: 'POST', agent: this.#agent(url), headers });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A connection that waited to be accepted when its listener closed is reset by the kernel: a closed door, too.
        const isClosedDoor = error.code === 'ECONNREFUSED' || (error.code === 'ECONNRESET' && !sent.reusedSocket);
        resolve({ failure: `${error.code} ${error.message}, reused ${sent.reusedSocket}`, retry: isClosedDoor });
      });
      sent.on('response', (answer) => {
        read(answer).then(
          (text) => resolve({ failure: this.#judge(answer.statusCode ?? 0, text, marker), retry: false }),
          (error: unknown) => resolve({ failure: `cut: ${String(error)}`, retry: false }),
        );
      });
      sent.end(body);
    });
  }

  #judge(status: number, text: string, marker: string): string | undefined {
    if (status !== 200) return `${status} ${text.slice(0, 200)}`;
    const { stream = false, backends, words } = this.#options;
    if (stream && !text.trimEnd().endsWith('data: [DONE]')) return `truncated: ${text.slice(-200)}`;
    const answer = { status, headers: {}, text, broken: false };
    const said = stream ? streamedContentOf(answer) : contentOf(answer);
    if (backends.some((backend) => said === markedText(backend, marker, words))) return undefined;
    return `another's answer: ${said.slice(0, 200)}`;
  }
}

async function read(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return text;
}

/** What failed, for the message of a failing test. */
export function failuresOf(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.flatMap(({ failure }) => failure ?? []);
}
