// Judges the frames of a stream by what they say, and remembers what they add up to.

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { FrameVerdict } from '../protocol.ts';
import { createMessageReader } from './event-stream.ts';
import { blockHasContent } from './facts.ts';
import { isFailedStop, isFiltered } from './stop-reason.ts';
import { objectOf, readUsage } from './wire.ts';

/** A frame that was judged. */
export interface JudgedFrame {
  readonly verdict: FrameVerdict;
  /** What the frame says, unless the verdict is that it must not be believed. */
  readonly event: { readonly name: string; readonly json: JsonObject } | undefined;
}

/** Errors are told in far fewer words. */
const errorCharsMax = 64 * 1024;

const malformed: JudgedFrame = { verdict: 'malformed', event: undefined };

/** Judges the frames of one answer. */
export class FrameJudge {
  usage: Usage | undefined;
  error: FailureSignal | undefined;
  /** Whether the model has said why it stopped. Usage follows. */
  finished = false;
  /** Whether that has come too: it is the last frame. */
  done = false;
  readonly #headers: SignalHeaders;
  readonly #readMessage = createMessageReader();
  /** Whether there was any content, or a filter let nothing through. */
  #answered = false;

  constructor(headers: SignalHeaders = {}) {
    this.#headers = headers;
  }

  get empty(): boolean {
    return !this.#answered && (this.usage?.outputTokens ?? 0) === 0;
  }

  read(frame: Buffer): JudgedFrame {
    const message = this.#readMessage(frame);
    if (message === undefined) return this.#failed(this.reject('a frame of the answer is damaged'));
    const { type, name, text } = message;
    const data = text.slice(0, errorCharsMax);
    if (type === 'exception') return this.#failed({ type: 'frame', event: name, data, headers: this.#headers });
    if (type === 'error') {
      return this.#failed({
        type: 'frame',
        event: name,
        data: JSON.stringify({ message: data }),
        headers: this.#headers,
      });
    }
    const json = parseJson(text);
    return isJsonObject(json) ? this.#note(name, json) : malformed;
  }

  /** Makes the answer a failure that no frame says it is. */
  reject(detail: string): FailureSignal {
    return { type: 'invalid', detail, body: '', headers: this.#headers };
  }

  #failed(signal: FailureSignal): JudgedFrame {
    this.error ??= signal;
    return { verdict: 'error', event: undefined };
  }

  #note(name: string, json: JsonObject): JudgedFrame {
    const event = { name, json };
    switch (name) {
      case 'contentBlockStart':
        return { verdict: this.#content(isJsonObject(objectOf(json['start'])['toolUse'])), event };
      case 'contentBlockDelta':
        return { verdict: this.#content(blockHasContent(objectOf(json['delta']))), event };
      case 'messageStop': {
        const stop = json['stopReason'];
        if (isFailedStop(stop)) return this.#failed(this.reject(`the answer ended with ${stop}`));
        this.finished = true;
        if (isFiltered(stop)) this.#answered = true;
        return { verdict: 'lifecycle', event };
      }
      case 'metadata':
        this.usage = readUsage(json['usage']) ?? this.usage;
        this.done = this.finished;
        return { verdict: 'lifecycle', event };
      default:
        return { verdict: 'lifecycle', event };
    }
  }

  #content(said: boolean): FrameVerdict {
    if (!said) return 'lifecycle';
    this.#answered = true;
    return 'content';
  }
}
