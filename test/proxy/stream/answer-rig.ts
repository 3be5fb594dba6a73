// One answer between a scripted upstream and a sink that notes what it gets, with time that stands still.

import type { AttemptOutcome } from '../../../proxy/canonical/attempt.ts';
import type { FailureSignal, SignalHeaders } from '../../../proxy/canonical/failure.ts';
import { protocols } from '../../../proxy/protocols/registry.ts';
import { Answer, type AnswerSettings } from '../../../proxy/stream/answer.ts';
import { settled, TestClock } from '../../support/clock.ts';

/** Deadlines that no two of a test's could be confused by. */
export const timeouts = { firstContentMs: 10_000, responseMs: 40_000, idleMs: 3_000 };
/** The time for the whole request. */
export const totalMs = 100_000;

/** An answer under test. */
export class AnswerRig {
  readonly clock = new TestClock();
  readonly answer: Answer;
  /** What the answer did to its request. */
  readonly orders: ('abort' | 'pause' | 'resume')[] = [];
  /** How the attempt came out, as soon as that is known. */
  outcome: AttemptOutcome | undefined;
  malformed = 0;
  /** What the sink was given: the bytes, and how it ended. */
  chunks: Buffer[] = [];
  ended: 'end' | FailureSignal | 'deadline' | undefined;

  constructor(differs: Partial<AnswerSettings> = {}) {
    this.answer = new Answer({
      clock: this.clock,
      timeouts,
      deadlineAtMs: this.clock.now() + totalMs,
      protocol: protocols['openai-chat'].passThrough,
      stream: true,
      hideUsage: true,
      isFailure: () => false,
      onMalformed: () => (this.malformed += 1),
      ...differs,
    });
    this.answer.source = {
      abort: () => void this.orders.push('abort'),
      pause: () => void this.orders.push('pause'),
      resume: () => void this.orders.push('resume'),
    };
    void this.answer.outcome.then((outcome) => (this.outcome = outcome));
  }

  /** What the client has got. */
  get received(): string {
    return Buffer.concat(this.chunks).toString();
  }

  get receivedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  head(headers: SignalHeaders = { 'content-type': 'text/event-stream' }, status = 200): this {
    this.answer.head(status, headers);
    return this;
  }

  json(status = 200): this {
    return this.head({ 'content-type': 'application/json' }, status);
  }

  data(...texts: readonly (string | Buffer)[]): this {
    for (const text of texts) this.answer.data(Buffer.from(text));
    return this;
  }

  end(): this {
    this.answer.end();
    return this;
  }

  /** The connection breaks. */
  reset(staleSocket = false): this {
    this.answer.failed({ fault: 'reset', staleSocket, cause: 'the test' });
    return this;
  }

  /** Takes the answer as a client does once it is committed. */
  attach(): this {
    this.answer.attach({
      chunk: (bytes) => void this.chunks.push(bytes),
      end: () => (this.ended = 'end'),
      failed: (cause) => (this.ended = cause),
    });
    return this;
  }

  /** Lets promises settle, and takes the answer if it is committed. */
  async follow(): Promise<this> {
    await settled();
    const taken = this.ended !== undefined || this.chunks.length > 0;
    if (this.outcome?.type === 'committed' && !taken) this.attach();
    return this;
  }
}
