// Streamed events → stream parts. Texts come one after the other under numbers of their own, calls as a beginning,
// fragments and an end. https://docs.cohere.com/docs/streaming

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { StreamPart } from '../../canonical/response.ts';
import { StreamJudge } from '../openai/stream-judge.ts';
import type { JsonObject } from '../openai/wire.ts';
import { callId, withDefined } from '../openai-chat/wire.ts';
import { BlockSequence } from '../block-sequence.ts';
import { Judged } from '../judged.ts';
import type { DecodedFrame, StreamDecoder } from '../protocol.ts';
import { isWhole, ownMembers } from './decode-response.ts';
import { readFacts } from './facts.ts';
import { decodeFinish } from './finish.ts';
import { cohere, objectOf, objectsOf, textOf, toInput } from './wire.ts';

/** A call whose arguments are coming. */
interface Call {
  readonly block: number;
  input: string;
  /** Whether any of the arguments were passed on: not while they may still be nothing but `null`. */
  told: boolean;
}

const none: readonly StreamPart[] = [];

/** Decodes one answer. */
export class CohereStreamDecoder extends Judged<StreamJudge> implements StreamDecoder {
  #id: string;
  #started = false;
  #over = false;
  readonly #blocks = new BlockSequence();
  #call: Call | undefined;
  /** Every call so far has arguments that are an object. */
  #whole = true;
  #calls = 0;
  readonly #citations: unknown[] = [];

  constructor(options: { readonly fallbackId: string; readonly headers?: SignalHeaders }) {
    super(new StreamJudge(readFacts, { hideUsage: true, ...options }));
    this.#id = options.fallbackId;
  }

  decode(frame: Buffer): DecodedFrame {
    const { verdict, json } = this.judge.read(frame);
    if (this.#over) return { verdict, parts: none };
    if (this.error !== undefined) return { verdict, parts: this.#fail(this.error) };
    if (json === undefined) return { verdict, parts: none };
    const parts = [...this.#start(json), ...this.#event(json)];
    // Only reading the parts shows whether a call is one.
    if (this.error !== undefined) return { verdict: 'error', parts: [...parts, ...this.#fail(this.error)] };
    return { verdict, parts };
  }

  /** The last event tells everything: nothing is left to be said after it. */
  end(): readonly StreamPart[] {
    return none;
  }

  #fail(signal: FailureSignal): readonly StreamPart[] {
    this.#over = true;
    return [{ type: 'error', signal }];
  }

  #start(json: JsonObject): readonly StreamPart[] {
    if (this.#started) return none;
    this.#started = true;
    const id = textOf(json['id']);
    if (id !== '') this.#id = id;
    // Nobody says which model it is.
    return [{ type: 'start', id: this.#id, model: '' }];
  }

  #event(json: JsonObject): readonly StreamPart[] {
    const delta = objectOf(json['delta']);
    const message = objectOf(delta['message']);
    switch (json['type']) {
      case 'content-start':
      case 'content-delta':
        return objectsOf(message['content']).flatMap(({ text, thinking }) => [
          ...this.#text('thinking', textOf(thinking)),
          ...this.#text('text', textOf(text)),
        ]);
      case 'content-end':
        return this.#blocks.close();
      case 'tool-plan-delta':
        return this.#text('thinking', textOf(message['tool_plan']));
      case 'tool-call-start':
        return objectsOf(message['tool_calls']).flatMap((call) => this.#startCall(call));
      case 'tool-call-delta':
        return objectsOf(message['tool_calls']).flatMap((call) => this.#addToCall(call));
      case 'tool-call-end':
        return this.#endCall();
      case 'citation-start':
        this.#citations.push(...objectsOf(message['citations']));
        return none;
      case 'message-end':
        return this.#finish(textOf(delta['finish_reason']));
      default:
        return none;
    }
  }

  #text(type: 'text' | 'thinking', text: string): readonly StreamPart[] {
    return text === '' ? none : this.#blocks.text(type, text);
  }

  #startCall(wire: JsonObject): readonly StreamPart[] {
    const before = [...this.#blocks.close(), ...this.#endCall()];
    const { name, arguments: input } = objectOf(wire['function']);
    const tool = textOf(name);
    if (tool === '') {
      this.judge.reject('the answer has a tool call that is not whole');
      return before;
    }
    const id = textOf(wire['id']) === '' ? callId(this.#id, this.#calls) : textOf(wire['id']);
    this.#calls++;
    this.#call = { block: this.#blocks.next(), input: '', told: false };
    const start: StreamPart = { type: 'block-start', index: this.#call.block, block: { type: 'tool-call', id, tool } };
    return [...before, start, ...this.#addInput(textOf(input))];
  }

  #addToCall(wire: JsonObject): readonly StreamPart[] {
    return this.#addInput(textOf(objectOf(wire['function'])['arguments']));
  }

  #addInput(text: string): readonly StreamPart[] {
    const call = this.#call;
    if (call === undefined || text === '') return none;
    call.input += text;
    if (call.told) return [{ type: 'delta', index: call.block, text }];
    if ('null'.startsWith(call.input.trim())) return none;
    call.told = true;
    return [{ type: 'delta', index: call.block, text: call.input }];
  }

  #endCall(): readonly StreamPart[] {
    const call = this.#call;
    if (call === undefined) return none;
    this.#call = undefined;
    const input = toInput(call.input);
    if (!isWhole(input)) this.#whole = false;
    const rest: readonly StreamPart[] = call.told ? none : [{ type: 'delta', index: call.block, text: input }];
    return [...rest, { type: 'block-end', index: call.block }];
  }

  #finish(wireReason: string): readonly StreamPart[] {
    const before = [...this.#blocks.close(), ...this.#endCall()];
    const reason = decodeFinish(wireReason, this.#calls > 0);
    if (reason !== 'length' && !this.#whole) {
      this.judge.reject('the answer has a tool call that is not whole');
      return before;
    }
    this.#over = true;
    const own = ownMembers(this.#citations.length > 0 ? { citations: this.#citations } : {});
    const metadata = own[cohere] === undefined ? undefined : own;
    return [...before, { type: 'finish', reason, ...withDefined({ usage: this.usage, metadata }) }];
  }
}
