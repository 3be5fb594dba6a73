// One request of a client that an upstream only takes in several parts: sent side by side, answered as one. To the answer
// that it feeds it is the source of a single request.

import type { EmbeddingResponse } from '../canonical/embedding.ts';
import type { FailureSignal, SignalHeaders } from '../canonical/failure.ts';
import { joinResponses } from '../protocols/embedding-batches.ts';
import type { EmbeddingAnswerContext } from '../protocols/embedding-codec.ts';
import { counted } from '../protocols/lane-embeddings.ts';
import type { EmbeddingsLane } from '../protocols/lane.ts';
import type { AnswerProtocol } from '../protocols/protocol.ts';
import { Answer, type AnswerSettings, type AnswerSource } from '../stream/answer.ts';
import type { Sender } from '../upstream/pool.ts';
import { type OutgoingRequest, send } from '../upstream/send.ts';

/** Parts under way at once: enough that many small ones do not take long, few enough for any rate limit. */
const partsAtOnce = 8;

/** One part. */
export interface BatchPart {
  /** Puts it together when its turn comes: a promise that nobody has come to wait for may not fail. */
  readonly outgoing: () => OutgoingRequest | Promise<OutgoingRequest>;
  readonly inputs: number;
}

/** What sending parts needs. */
export interface BatchSettings {
  readonly lane: EmbeddingsLane;
  readonly sender: Sender;
  /** Connections that nobody has used, for parts that found theirs dead. */
  readonly fresh: Sender;
  /** Of the answer to each part. */
  readonly answer: Omit<AnswerSettings, 'protocol'>;
  /** Of the answer to all of them. */
  readonly context: () => EmbeddingAnswerContext;
  /** What it means that a part could not be put together. */
  readonly toSignal: (error: unknown) => FailureSignal;
}

/** Sends parts, and feeds their answers to one. */
export class Batch implements AnswerSource {
  readonly #parts: readonly BatchPart[];
  readonly #settings: BatchSettings;
  readonly #answered: EmbeddingResponse[] = [];
  readonly #underWay = new Set<Answer>();
  #whole: Answer | undefined;
  #headers: SignalHeaders = {};
  #next = 0;
  #over = false;

  constructor(parts: readonly BatchPart[], settings: BatchSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  /** How the answer is read that the others are fed to: nothing of it comes as bytes. */
  get protocol(): AnswerProtocol {
    const { lane, context } = this.#settings;
    return whole(() => {
      const told = context();
      const response = counted(joinResponses(this.#answered), told);
      const body = lane.client.encodeResponse(response, told);
      return { usage: response.usage, signal: undefined, empty: false, body };
    });
  }

  /** Begins to send. */
  start(answer: Answer): void {
    this.#whole = answer;
    answer.source = this;
    void this.#run(answer);
  }

  abort(): void {
    this.#over = true;
    for (const answer of this.#underWay) answer.abort();
  }

  // Parts are whole before anything of them is passed on: there is nothing to hold up.
  pause(): void {}
  resume(): void {}

  async #run(answer: Answer): Promise<void> {
    try {
      await Promise.all(Array.from({ length: Math.min(partsAtOnce, this.#parts.length) }, () => this.#work()));
    } catch (error) {
      this.#failed(this.#settings.toSignal(error));
    }
    if (this.#over) return;
    this.#over = true;
    answer.head(200, { ...this.#headers, 'content-encoding': undefined });
    answer.end();
  }

  async #work(): Promise<void> {
    while (!this.#over) {
      const index = this.#next++;
      const part = this.#parts[index];
      if (part === undefined) return;
      await this.#send(part, index, this.#settings.sender);
    }
  }

  async #send(part: BatchPart, index: number, sender: Sender): Promise<void> {
    const outgoing = await part.outgoing();
    if (this.#over) return;
    const { fresh, answer: settings } = this.#settings;
    const answer = new Answer({ ...settings, protocol: this.#reading(part, index) });
    this.#underWay.add(answer);
    answer.source = send(sender, outgoing, answer);
    const outcome = await answer.outcome;
    this.#underWay.delete(answer);
    if (outcome.type === 'committed') this.#headers = answer.headers;
    if (outcome.type !== 'failed') return;
    if (outcome.staleSocket && sender !== fresh) await this.#send(part, index, fresh);
    else this.#failed(outcome.signal);
  }

  /** What a part says is kept, and nothing is passed on. */
  #reading({ inputs }: BatchPart, index: number): AnswerProtocol {
    const { upstream } = this.#settings.lane;
    return whole((body, headers) => {
      const decoded = upstream.decodeResponse(body, inputs, headers);
      if (decoded.type === 'invalid') return { usage: undefined, signal: decoded.signal, empty: true };
      this.#answered[index] = decoded.response;
      return { usage: decoded.response.usage, signal: undefined, empty: false };
    });
  }

  #failed(signal: FailureSignal): void {
    if (this.#over) return;
    this.abort();
    this.#whole?.reject(signal);
  }
}

function whole(readAnswer: AnswerProtocol['readAnswer']): AnswerProtocol {
  return {
    rewrites: true,
    readAnswer,
    tap() {
      throw new Error('vectors are not streamed');
    },
  };
}
