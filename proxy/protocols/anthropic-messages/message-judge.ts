// Judges the frames of a streamed message by what their events say. Tap and decoder share it, so that both lanes call the
// same answer complete, empty or broken. https://platform.claude.com/docs/en/build-with-claude/streaming

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { FrameVerdict } from '../protocol.ts';
import { readSseEvent } from '../sse-event.ts';
import { type Counts, mergeCounts, readCounts, toUsage } from './usage.ts';

/** A frame that was judged. */
export interface JudgedFrame {
  readonly verdict: FrameVerdict;
  /** The event, unless the verdict is that it must not be believed. */
  readonly event: JsonObject | undefined;
}

/** What one event says. */
interface EventFacts {
  readonly content: boolean;
  readonly counts: Counts | undefined;
  /** Ends the answer, or says why it ended. */
  readonly ending: boolean;
}

/** Errors are told in far fewer words. */
const errorCharsMax = 64 * 1024;

const lifecycle: JudgedFrame = { verdict: 'lifecycle', event: undefined };
const hidden: JudgedFrame = { verdict: 'hidden', event: undefined };
const malformed: JudgedFrame = { verdict: 'malformed', event: undefined };

/** Judges the frames of one answer and remembers what they add up to. */
export class MessageJudge {
  error: FailureSignal | undefined;
  /** Whether there was any content. */
  content = false;
  /** Only `message_stop` ends an answer: without it official clients have no message. */
  finished = false;
  readonly #headers: SignalHeaders;
  #started = false;
  #counts: Counts | undefined;
  /** Output as told at the end: `message_start` counts a token before there is any. */
  #output = 0;
  #refused = false;

  constructor(headers: SignalHeaders = {}) {
    this.#headers = headers;
  }

  get usage(): Usage | undefined {
    return toUsage(this.#counts);
  }

  get empty(): boolean {
    return !this.content && !this.#refused && this.#output === 0;
  }

  read(frame: Buffer): JudgedFrame {
    const { event: name, data } = readSseEvent(frame);
    if (data === undefined || data === '') return this.#withoutData(name, data);
    const event = parseJson(data);
    if (name === 'error') return this.#failed(name, data);
    // Some servers end as OpenAI's do.
    if (data.trimEnd() === '[DONE]') return hidden;
    if (!isJsonObject(event)) return malformed;
    if (event['type'] === 'error' || (event['type'] === undefined && event['error'])) return this.#failed(name, data);
    if (typeof event['type'] !== 'string') return malformed;
    return { verdict: this.#note(event), event };
  }

  /** What a frame would be that comes after content; undefined if it would change anything else. Changes nothing. */
  preview(frame: Buffer): 'content' | 'lifecycle' | undefined {
    const { event: name, data } = readSseEvent(frame);
    const event = data === undefined ? undefined : parseJson(data);
    if (name === 'error' || !isJsonObject(event) || typeof event['type'] !== 'string' || event['type'] === 'error') {
      return undefined;
    }
    const { content, counts, ending } = readFacts(event);
    if (counts !== undefined || ending) return undefined;
    return content ? 'content' : 'lifecycle';
  }

  /** Makes the answer a failure that no single frame was. */
  reject(detail: string): FailureSignal {
    this.error = { type: 'invalid', detail, body: '', headers: this.#headers };
    return this.error;
  }

  #withoutData(name: string | undefined, data: string | undefined): JudgedFrame {
    if (name === 'error') return this.#failed(name, '');
    // A comment disturbs nobody; data or an event with nothing in it may.
    return name === undefined && data === undefined ? lifecycle : hidden;
  }

  #failed(event: string | undefined, data: string): JudgedFrame {
    this.error = { type: 'frame', event, data: data.slice(0, errorCharsMax), headers: this.#headers };
    return { verdict: 'error', event: undefined };
  }

  #note(event: JsonObject): FrameVerdict {
    const { content, counts } = readFacts(event);
    this.#counts = mergeCounts(this.#counts, counts);
    if (event['type'] === 'message_start') {
      // Official clients throw on a second one.
      if (this.#started) return 'hidden';
      this.#started = true;
    }
    if (event['type'] === 'message_delta') {
      this.#output = counts?.output ?? 0;
      if (isJsonObject(event['delta']) && event['delta']['stop_reason'] === 'refusal') this.#refused = true;
    }
    if (event['type'] === 'message_stop') this.finished = true;
    if (!content) return 'lifecycle';
    this.content = true;
    return 'content';
  }
}

function readFacts(event: JsonObject): EventFacts {
  const { type } = event;
  const message = event['message'];
  const counts = readCounts(isJsonObject(message) ? message['usage'] : event['usage']);
  return {
    content:
      type === 'content_block_start' ? startsContent(event) : type === 'content_block_delta' && hasContent(event),
    counts,
    ending: type === 'message_delta' || type === 'message_stop',
  };
}

/** Text and thinking begin as empty shells; everything else says something by its mere beginning. */
function startsContent(event: JsonObject): boolean {
  return isJsonObject(event['content_block']) && blockHasContent(event['content_block']);
}

/** Whether a block carries something that a client waits for. */
export function blockHasContent(block: JsonObject): boolean {
  if (block['type'] === 'text') return isText(block['text']);
  if (block['type'] === 'thinking') return isText(block['thinking']) || isText(block['signature']);
  return typeof block['type'] === 'string';
}

/** Each kind of delta has one member beside its type; kinds that nobody knows yet are what somebody waits for. */
function hasContent(event: JsonObject): boolean {
  const { delta } = event;
  return isJsonObject(delta) && Object.entries(delta).some(([name, value]) => name !== 'type' && value !== '');
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
