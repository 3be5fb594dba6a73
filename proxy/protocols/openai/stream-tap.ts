// Looks along as the frames of an OpenAI-like stream pass by. What the JSON of a frame means is the protocol's part,
// given as a function; what all of them share is here: markers, comments, errors, ends, and not parsing every frame.

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import { KnownFrames } from '../known-frames.ts';
import type { FrameVerdict, StreamTap } from '../protocol.ts';
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

/** Errors are told in far fewer words; `response.failed` repeats the whole request. */
const errorCharsMax = 64 * 1024;

/** Judges the frames of one answer. */
export class OpenAiStreamTap implements StreamTap {
  usage: Usage | undefined;
  error: FailureSignal | undefined;
  nextSequence = 0;
  readonly #read: ReadFacts;
  readonly #hideUsage: boolean;
  readonly #headers: SignalHeaders;
  readonly #open = new Set<number>();
  readonly #ended = new Set<number>();
  #content = false;
  #filtered = false;
  readonly #known = new KnownFrames();

  constructor(read: ReadFacts, options: { readonly hideUsage: boolean; readonly headers?: SignalHeaders }) {
    this.#read = read;
    this.#hideUsage = options.hideUsage;
    this.#headers = options.headers ?? {};
  }

  get finished(): boolean {
    return this.#ended.size > 0 && this.#open.size === 0;
  }

  get empty(): boolean {
    return !this.#content && !this.#filtered && (this.usage?.outputTokens ?? 0) === 0;
  }

  frame(frame: Buffer): FrameVerdict {
    const template = this.#known.match(frame);
    if (template !== undefined) {
      if (template.sequence !== undefined) this.nextSequence = template.sequence + 1;
      return 'content';
    }
    const first = !this.#content;
    const verdict = this.#parse(frame);
    // An answer may well have only one frame of content: it is the second that is taken for one of many.
    if (verdict === 'content' && !first) this.#known.learn(frame, (made) => this.#judge(made));
    return verdict;
  }

  #parse(frame: Buffer): FrameVerdict {
    const { event, data } = readSseEvent(frame);
    if (data === undefined) return this.#withoutData(event);
    // Official clients throw on data that is not JSON; what some vendors send to keep a stream open must not reach them.
    if (data === '' || data.startsWith(':')) return event === 'error' ? this.#withoutData(event) : 'hidden';
    if (data.trimEnd() === '[DONE]') return 'lifecycle';
    const json = parseJson(data);
    if (event === 'error') return this.#failed(event, data, { type: 'error' });
    if (!isJsonObject(json)) return 'malformed';
    const facts = this.#read(json, event);
    if (facts.failure) return this.#failed(event, data, facts.failure);
    return this.#note(facts);
  }

  #withoutData(event: string | undefined): FrameVerdict {
    if (event === 'error') return this.#failed(event, '', { type: 'error' });
    // An event without data makes official clients throw; a comment does not.
    return event === undefined ? 'lifecycle' : 'hidden';
  }

  #failed(event: string | undefined, data: string, failure: NonNullable<FrameFacts['failure']>): FrameVerdict {
    const text = data.slice(0, errorCharsMax);
    this.error =
      failure.type === 'error'
        ? { type: 'frame', event, data: text, headers: this.#headers }
        : { type: 'invalid', detail: `the answer ended with ${failure.reason}`, body: text, headers: this.#headers };
    return 'error';
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
      this.#content = true;
      return 'content';
    }
    return facts.usageOnly && this.#hideUsage ? 'hidden' : 'lifecycle';
  }

  /** What a frame would be that comes after content; undefined if it would change anything else. */
  #judge(frame: Buffer): 'content' | 'lifecycle' | undefined {
    const { event, data } = readSseEvent(frame);
    const json = data === undefined ? undefined : parseJson(data);
    if (event === 'error' || !isJsonObject(json)) return undefined;
    const facts = this.#read(json, event);
    const known = facts.seen.every((choice) => this.#open.has(choice) || this.#ended.has(choice));
    if (facts.failure || facts.usage || facts.ended.length > 0 || facts.filtered || !known) return undefined;
    return facts.content ? 'content' : 'lifecycle';
  }
}
