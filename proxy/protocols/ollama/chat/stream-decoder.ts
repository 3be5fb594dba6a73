// Lines of a chat answer → stream parts. A line may hold thinking, text and whole calls of tools at once; the last one
// tells everything else.

import type { SignalHeaders } from '../../../canonical/failure.ts';
import type { StreamPart } from '../../../canonical/response.ts';
import type { JsonObject } from '../../openai/wire.ts';
import { withDefined } from '../../openai-chat/wire.ts';
import { BlockSequence } from '../../block-sequence.ts';
import { Judged } from '../../judged.ts';
import type { DecodedFrame, StreamDecoder } from '../../protocol.ts';
import { LineJudge } from '../line-judge.ts';
import { decodeLogprobs } from '../logprobs.ts';
import { readSaid } from '../wire.ts';
import { decodeCall } from './calls.ts';
import { createdAtOf, modelOf, ownMembers } from './decode-response.ts';
import { decodeFinish } from './finish.ts';

const none: readonly StreamPart[] = [];

/** Decodes one answer. */
export class OllamaStreamDecoder extends Judged<LineJudge> implements StreamDecoder {
  readonly #id: string;
  #started = false;
  readonly #blocks = new BlockSequence();
  #calls = 0;

  constructor(options: { readonly fallbackId: string; readonly headers?: SignalHeaders }) {
    super(new LineJudge(options.headers));
    this.#id = options.fallbackId;
  }

  decode(frame: Buffer): DecodedFrame {
    if (this.error !== undefined) return { verdict: 'hidden', parts: none };
    const { verdict, json } = this.judge.read(frame);
    if (this.error !== undefined) return { verdict, parts: [{ type: 'error', signal: this.error }] };
    if (json === undefined) return { verdict, parts: none };
    const parts = [...this.#start(json), ...this.#said(json)];
    // Only reading the parts shows whether a call is one; the tap does not look that closely.
    const broken = this.judge.error;
    if (broken !== undefined) return { verdict: 'error', parts: [...parts, { type: 'error', signal: broken }] };
    return { verdict, parts: this.finished ? [...parts, ...this.#finish(json)] : parts };
  }

  /** The last line is the end: nothing is left to be said after it. */
  end(): readonly StreamPart[] {
    return none;
  }

  #start(json: JsonObject): readonly StreamPart[] {
    if (this.#started) return none;
    this.#started = true;
    return [{ type: 'start', id: this.#id, model: modelOf(json), ...withDefined({ createdAt: createdAtOf(json) }) }];
  }

  #said(json: JsonObject): readonly StreamPart[] {
    const { thinking, text, calls } = readSaid(json);
    return [
      ...this.#text('thinking', thinking, {}),
      ...this.#text('text', text, decodeLogprobs(json)),
      ...calls.flatMap((call) => this.#call(call)),
    ];
  }

  #text(type: 'text' | 'thinking', text: string, details: ReturnType<typeof decodeLogprobs>): readonly StreamPart[] {
    return text === '' ? none : this.#blocks.text(type, text, details);
  }

  #call(wire: JsonObject): readonly StreamPart[] {
    const call = decodeCall(wire, this.#id, this.#calls++);
    if (call === undefined) {
      this.judge.reject('the answer has a tool call that is not whole');
      return none;
    }
    return this.#blocks.call(call);
  }

  #finish(json: JsonObject): readonly StreamPart[] {
    const own = ownMembers(json);
    const metadata = Object.keys(own).length > 0 ? own : undefined;
    const reason = decodeFinish(json, this.#calls > 0);
    return [...this.#blocks.close(), { type: 'finish', reason, ...withDefined({ usage: this.usage, metadata }) }];
  }
}
