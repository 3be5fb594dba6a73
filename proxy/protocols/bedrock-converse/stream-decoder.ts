// ConverseStream → stream parts.

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { StreamPart } from '../../canonical/response.ts';
import type { JsonObject } from '../openai/wire.ts';
import { withDefined, without } from '../openai-chat/wire.ts';
import { Judged } from '../judged.ts';
import type { DecodedFrame, StreamDecoder } from '../protocol.ts';
import { BlockDecoder } from './block-decoder.ts';
import { FrameJudge } from './frame-judge.ts';
import { decodeStopReason } from './stop-reason.ts';
import { answerId, keepOwn } from './wire.ts';

const none: readonly StreamPart[] = [];

/** Members of the last frames that have a counterpart, or are padding. */
const knownMembers: ReadonlySet<string> = new Set(['stopReason', 'usage', 'p']);

/** Decodes one answer. */
export class ConverseStreamDecoder extends Judged<FrameJudge> implements StreamDecoder {
  readonly #blocks = new BlockDecoder();
  readonly #id: string;
  #started = false;
  #stopReason: unknown;
  /** Members of the last frames that have no counterpart. */
  #own: JsonObject = {};
  #over = false;

  constructor({ fallbackId, headers = {} }: { readonly fallbackId: string; readonly headers?: SignalHeaders }) {
    super(new FrameJudge(headers));
    this.#id = answerId(headers, fallbackId);
  }

  decode(frame: Buffer): DecodedFrame {
    const { verdict, event } = this.judge.read(frame);
    if (this.#over) return { verdict, parts: none };
    if (verdict === 'error' && this.error !== undefined) return { verdict, parts: this.#fail(this.error) };
    return { verdict, parts: event === undefined ? none : this.#parts(event.name, event.json) };
  }

  /** Usage follows the reason for the end, and may be missing: only now is it certain that nothing comes. */
  end(): readonly StreamPart[] {
    return this.#over || !this.finished ? none : this.#finish();
  }

  #parts(name: string, json: JsonObject): readonly StreamPart[] {
    switch (name) {
      case 'messageStart':
        return this.#ensureStart();
      case 'contentBlockStart':
        return [...this.#ensureStart(), ...this.#blocks.start(json)];
      case 'contentBlockDelta':
        return [...this.#ensureStart(), ...this.#blocks.delta(json)];
      case 'contentBlockStop':
        return this.#blocks.stop(json);
      case 'messageStop':
        this.#stopReason = json['stopReason'];
        this.#own = without(json, knownMembers);
        return none;
      case 'metadata':
        this.#own = { ...this.#own, ...without(json, knownMembers) };
        return this.end();
      default:
        return none;
    }
  }

  #ensureStart(): readonly StreamPart[] {
    if (this.#started) return none;
    this.#started = true;
    return [{ type: 'start', id: this.#id, model: '' }];
  }

  #finish(): readonly StreamPart[] {
    const blocks = this.#blocks.end();
    const reason = decodeStopReason(this.#stopReason, this.#blocks);
    const cut = reason === 'length' || reason === 'context-window';
    if (!cut && !this.#blocks.whole) {
      this.judge.error = this.judge.reject('the answer has a tool call that is not whole');
      return this.#fail(this.judge.error);
    }
    this.#over = true;
    const details = { ...withDefined({ usage: this.usage }), ...keepOwn(this.#own) };
    return [...this.#ensureStart(), ...blocks, { type: 'finish', reason, ...details }];
  }

  #fail(signal: FailureSignal): readonly StreamPart[] {
    this.#over = true;
    return [{ type: 'error', signal }];
  }
}
