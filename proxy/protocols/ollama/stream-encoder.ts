// Stream parts → lines of chat or generate: one for each piece of text, one for each call of a tool when it is whole,
// and the last one with counts and durations.

import type { BlockStart, StreamPart } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';
import type { AnswerContext, StreamEncoder } from '../protocol.ts';
import { AnswerTimes } from './answer-times.ts';
import { encodeCall, encodeFinish, type EncodeSaid, hidesThinking, withheldText } from './encode-answer.ts';
import { encodeLogprobs } from './logprobs.ts';
import { kept, type Said } from './wire.ts';

const nothing = Buffer.alloc(0);
const silence: Said = { text: '', thinking: '', calls: [] };

/** A call whose arguments are still coming. */
interface OpenCall {
  readonly id: string;
  readonly tool: string;
  input: string;
  /** Its place among the calls. */
  readonly position: number;
}

/** Encodes one answer. */
export class OllamaStreamEncoder implements StreamEncoder {
  readonly #encode: EncodeSaid;
  readonly #times: AnswerTimes;
  readonly #hidesThinking: boolean;
  #model: string;
  readonly #blocks = new Map<number, BlockStart>();
  readonly #open = new Map<number, OpenCall>();
  #calls = 0;
  /** Whether any text has been said. */
  #spoken = false;

  constructor(context: AnswerContext, encode: EncodeSaid) {
    this.#hidesThinking = hidesThinking(context);
    this.#encode = encode;
    this.#times = new AnswerTimes(context);
    this.#model = context.model;
  }

  encode(part: StreamPart): Buffer {
    switch (part.type) {
      case 'start':
        if (part.model !== '') this.#model = part.model;
        return nothing;
      case 'block-start':
        this.#blocks.set(part.index, part.block);
        if (part.block.type === 'tool-call') this.#startCall(part.index, part.block);
        return nothing;
      case 'delta':
        return this.#delta(part);
      case 'block-end':
        return this.#endCall(part.index);
      case 'finish':
        return this.#finish(part);
      case 'error':
        return nothing;
    }
  }

  #startCall(index: number, { id, tool }: Extract<BlockStart, { type: 'tool-call' }>): void {
    this.#open.set(index, { id, tool, input: '', position: this.#calls++ });
  }

  #delta(part: Extract<StreamPart, { type: 'delta' }>): Buffer {
    this.#times.firstContent();
    const type = this.#blocks.get(part.index)?.type ?? 'text';
    switch (type) {
      case 'text':
      case 'refusal':
        this.#spoken ||= part.text !== '';
        return this.#line({ ...silence, text: part.text }, encodeLogprobs(part));
      case 'thinking':
        return this.#hidesThinking ? nothing : this.#line({ ...silence, thinking: part.text });
      case 'tool-call': {
        const call = this.#open.get(part.index);
        if (call !== undefined) call.input += part.text;
        return nothing;
      }
      // They have no form here.
      case 'redacted-thinking':
      case 'carried':
        return nothing;
    }
  }

  #endCall(index: number): Buffer {
    const call = this.#open.get(index);
    if (call === undefined) return nothing;
    this.#open.delete(index);
    this.#times.firstContent();
    return this.#line({ ...silence, calls: encodeCall(call, call.position) });
  }

  #finish(part: Extract<StreamPart, { type: 'finish' }>): Buffer {
    const { reason, usage } = part;
    const calls = [...this.#open.keys()].map((index) => this.#endCall(index));
    const withheld = this.#spoken ? nothing : this.#line({ ...silence, text: withheldText(reason) });
    const end = { done_reason: encodeFinish(reason), ...this.#times.encodeFinal(usage), ...kept(part) };
    return Buffer.concat([...calls, withheld, Buffer.from(this.#write(silence, true, end))]);
  }

  /** A line, unless it says nothing. */
  #line(said: Said, details: JsonObject = {}): Buffer {
    const silent = said.text === '' && said.thinking === '' && said.calls.length === 0;
    return silent ? nothing : Buffer.from(this.#write(said, false, details));
  }

  #write(said: Said, done: boolean, details: JsonObject): string {
    const head = { model: this.#model, created_at: this.#times.timestamp };
    return `${JSON.stringify({ ...head, ...this.#encode(said), done, ...details })}\n`;
  }
}
