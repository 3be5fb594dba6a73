// Judges the frames of an OpenAI-like stream by what they say. What the JSON of a frame means is the protocol's part,
// given as a function; what all of them share is here: markers, comments, errors, ends.

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import type { FrameVerdict } from '../protocol.ts';
import { readSseEvent } from '../sse-event.ts';
import { isJsonObject, type JsonObject, parseJson } from './wire.ts';

/** What the JSON of one frame says. */
export interface FrameFacts {
  /** Carries something that the client waits for. */
  readonly content: boolean;
  readonly usage: Usage | undefined;
  /** Nothing but usage: the chunk that appears only for those who ask. */
  readonly usageOnly: boolean;
  /** Choices that the frame speaks of, and those of them that end with it. */
  readonly seen: readonly number[];
  readonly ended: readonly number[];
  /** The answer was cut by a content filter: it may well be empty, and is no failure. */
  readonly filtered: boolean;
  /** Set if the frame is a failure: in words of the protocol (an error object), or only by how it ends. */
  readonly failure: { readonly type: 'error' } | { readonly type: 'finish'; readonly reason: string } | undefined;
  readonly sequence: number | undefined;
}

/** Reads the JSON of one frame. Must be pure. */
export type ReadFacts = (json: JsonObject, event: string | undefined) => FrameFacts;

/** A frame that was judged. */
export interface JudgedFrame {
  readonly verdict: FrameVerdict;
  /** What the frame says, unless the verdict is that it must not be believed. */
  readonly json: JsonObject | undefined;
  /** The frame is the marker that nothing follows. */
  readonly done: boolean;
}

/** Errors are told in far fewer words; `response.failed` repeats the whole request. */
const errorCharsMax = 64 * 1024;

const lifecycle: JudgedFrame = { verdict: 'lifecycle', json: undefined, done: false };
const hidden: JudgedFrame = { verdict: 'hidden', json: undefined, done: false };
const malformed: JudgedFrame = { verdict: 'malformed', json: undefined, done: false };
const done: JudgedFrame = { verdict: 'lifecycle', json: undefined, done: true };

/** Judges the frames of one answer and remembers what they add up to. */
export class StreamJudge {
  usage: Usage | undefined;
  error: FailureSignal | undefined;
  nextSequence = 0;
  /** Whether there was any content. */
  content = false;
  done = false;
  readonly #readFacts: ReadFacts;
  readonly #hideUsage: boolean;
  readonly #headers: SignalHeaders;
  readonly #open = new Set<number>();
  readonly #ended = new Set<number>();
  #filtered = false;

  constructor(readFacts: ReadFacts, options: { readonly hideUsage: boolean; readonly headers?: SignalHeaders }) {
    this.#readFacts = readFacts;
    this.#hideUsage = options.hideUsage;
    this.#headers = options.headers ?? {};
  }

  get finished(): boolean {
    return this.#ended.size > 0 && this.#open.size === 0;
  }

  get empty(): boolean {
    return !this.content && !this.#filtered && (this.usage?.outputTokens ?? 0) === 0;
  }

  read(frame: Buffer): JudgedFrame {
    const { event, data } = readSseEvent(frame);
    if (data === undefined) return this.#withoutData(event);
    // Official clients throw on data that is not JSON; what some vendors send to keep a stream open must not reach them.
    if (data === '' || data.startsWith(':')) return event === 'error' ? this.#withoutData(event) : hidden;
    if (data.trimEnd() === '[DONE]') {
      this.done = true;
      return done;
    }
    const json = parseJson(data);
    if (event === 'error') return this.#failed(event, data, { type: 'error' });
    if (!isJsonObject(json)) return malformed;
    const facts = this.#readFacts(json, event);
    if (facts.failure) return this.#failed(event, data, facts.failure);
    return { verdict: this.#note(facts), json, done: false };
  }

  /** What a frame would be that comes after content; undefined if it would change anything else. Changes nothing. */
  preview(frame: Buffer): 'content' | 'lifecycle' | undefined {
    const { event, data } = readSseEvent(frame);
    const json = data === undefined ? undefined : parseJson(data);
    if (event === 'error' || !isJsonObject(json)) return undefined;
    const facts = this.#readFacts(json, event);
    const known = facts.seen.every((choice) => this.#open.has(choice) || this.#ended.has(choice));
    if (facts.failure || facts.usage || facts.ended.length > 0 || facts.filtered || !known) return undefined;
    return facts.content ? 'content' : 'lifecycle';
  }

  /** Makes the answer a failure that no single frame was. */
  reject(detail: string): FailureSignal {
    this.error = { type: 'invalid', detail, body: '', headers: this.#headers };
    return this.error;
  }

  #withoutData(event: string | undefined): JudgedFrame {
    if (event === 'error') return this.#failed(event, '', { type: 'error' });
    // An event without data makes official clients throw; a comment does not.
    return event === undefined ? lifecycle : hidden;
  }

  #failed(event: string | undefined, data: string, failure: NonNullable<FrameFacts['failure']>): JudgedFrame {
    const text = data.slice(0, errorCharsMax);
    this.error =
      failure.type === 'error'
        ? { type: 'frame', event, data: text, headers: this.#headers }
        : { type: 'invalid', detail: `the answer ended with ${failure.reason}`, body: text, headers: this.#headers };
    return { verdict: 'error', json: undefined, done: false };
  }

  #note(facts: FrameFacts): FrameVerdict {
    if (facts.usage) this.usage = facts.usage;
    if (facts.sequence !== undefined) this.nextSequence = facts.sequence + 1;
    for (const choice of facts.seen) if (!this.#ended.has(choice)) this.#open.add(choice);
    for (const choice of facts.ended) {
      this.#ended.add(choice);
      this.#open.delete(choice);
    }
    if (facts.filtered) this.#filtered = true;
    if (facts.content) {
      this.content = true;
      return 'content';
    }
    return facts.usageOnly && this.#hideUsage ? 'hidden' : 'lifecycle';
  }
}
