// Judges the lines of a stream by what they say, for the tap and the decoder alike.

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { Usage } from '../../canonical/usage.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import type { FrameVerdict, StreamTap } from '../protocol.ts';
import { readFacts } from './facts.ts';
import { noTokens } from './wire.ts';

/** A line that was judged. */
export interface JudgedLine {
  readonly verdict: FrameVerdict;
  /** What the line says, unless the verdict is that it must not be believed. */
  readonly json: JsonObject | undefined;
}

/** Errors are told in far fewer words. */
const errorCharsMax = 64 * 1024;

const hidden: JudgedLine = { verdict: 'hidden', json: undefined };
const malformed: JudgedLine = { verdict: 'malformed', json: undefined };

/** Judges the lines of one answer and remembers what they add up to. */
export class LineJudge implements StreamTap {
  usage: Usage | undefined;
  error: FailureSignal | undefined;
  finished = false;
  /** Lines have no numbers. */
  readonly nextSequence = 0;
  readonly #headers: SignalHeaders;
  /** Whether there was any content, or nothing was wanted. */
  #answered = false;

  constructor(headers: SignalHeaders = {}) {
    this.#headers = headers;
  }

  /** No client looks behind the line that says so. */
  get done(): boolean {
    return this.finished;
  }

  get empty(): boolean {
    return !this.#answered && (this.usage?.outputTokens ?? 0) === 0;
  }

  frame(frame: Buffer): FrameVerdict {
    return this.read(frame).verdict;
  }

  read(frame: Buffer): JudgedLine {
    const text = frame.toString('utf8').replace(/^\u{feff}/u, '');
    // The official client warns of lines without anything in them, others fail; nothing counts behind the last.
    if (this.finished || text.trim() === '') return hidden;
    const json = parseJson(text);
    if (!isJsonObject(json)) return malformed;
    const facts = readFacts(json);
    if (facts.failure !== undefined) return this.#failed(text);
    this.finished = facts.ended.length > 0;
    this.usage = facts.usage ?? this.usage ?? (this.finished ? noTokens : undefined);
    if (facts.content || facts.filtered) this.#answered = true;
    return { verdict: facts.content ? 'content' : 'lifecycle', json };
  }

  /** Makes the answer a failure that no line says it is. */
  reject(detail: string): FailureSignal {
    this.error = { type: 'invalid', detail, body: '', headers: this.#headers };
    return this.error;
  }

  #failed(line: string): JudgedLine {
    const data = line.trim().slice(0, errorCharsMax);
    this.error = { type: 'frame', event: undefined, data, headers: this.#headers };
    return { verdict: 'error', json: undefined };
  }
}
