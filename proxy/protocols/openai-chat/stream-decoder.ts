// Chat completions stream → stream parts. A state machine over blocks: text, thinking and refusal one after the other,
// tool calls side by side, everything closed at the end, and the finish held until usage can no longer come.

import type { FailureSignal, SignalHeaders } from '../../canonical/failure.ts';
import type { StreamPart } from '../../canonical/response.ts';
import { readChoices } from '../openai/choices.ts';
import { StreamJudge } from '../openai/stream-judge.ts';
import { isJsonObject, type JsonObject } from '../openai/wire.ts';
import { BlockSequence } from '../block-sequence.ts';
import { Judged } from '../judged.ts';
import type { DecodedFrame, StreamDecoder } from '../protocol.ts';
import { CallAssembly } from './call-assembly.ts';
import { decodeFinish } from './finish.ts';
import { besideText, callPieces, type TextPiece, textPieces } from './pieces.ts';
import { answerMembers, chat, hasContent, withDefined, without } from './wire.ts';

const none: readonly StreamPart[] = [];

/** Padding that says nothing. */
const noise = new Set([...answerMembers, 'obfuscation']);

/** Decodes one answer. */
export class ChatStreamDecoder extends Judged<StreamJudge> implements StreamDecoder {
  readonly #calls = new CallAssembly();
  readonly #fallbackId: string;
  #id: string;
  #started = false;
  readonly #blocks = new BlockSequence();
  /** The choice that ended the answer, until the finish is told. */
  #last: JsonObject | undefined;
  #over = false;
  /** Members of chunks that have no counterpart. */
  readonly #own: Record<string, unknown> = {};

  constructor(options: { readonly fallbackId: string; readonly headers?: SignalHeaders }) {
    super(new StreamJudge((json) => readChoices(json, hasContent), { hideUsage: true, ...options }));
    this.#fallbackId = options.fallbackId;
    this.#id = options.fallbackId;
  }

  decode(frame: Buffer): DecodedFrame {
    const { verdict, json, done } = this.judge.read(frame);
    if (this.#over) return { verdict, parts: none };
    if (verdict === 'error' && this.error !== undefined) return { verdict, parts: this.#fail(this.error) };
    if (done) return { verdict, parts: this.end() };
    return { verdict, parts: json === undefined ? none : this.#parts(json) };
  }

  /** Usage may follow the finish, and the closing marker may be missing: only now is it certain that nothing comes. */
  end(): readonly StreamPart[] {
    if (this.#over || !this.finished) return none;
    const { reason, stopSequence } = decodeFinish(this.#last ?? {}, this.#calls.size > 0);
    if (reason !== 'length' && !this.#calls.whole) {
      return this.#fail(this.judge.reject('the answer has a tool call that is not whole'));
    }
    this.#over = true;
    const own = this.#own;
    const metadata = Object.keys(own).length > 0 ? { [chat]: own } : undefined;
    const details = withDefined({ stopSequence, usage: this.usage, metadata });
    return [...this.#blocks.close(), ...this.#calls.end(), { type: 'finish', reason, ...details }];
  }

  #fail(signal: FailureSignal): readonly StreamPart[] {
    this.#over = true;
    return [{ type: 'error', signal }];
  }

  #parts(json: JsonObject): readonly StreamPart[] {
    const choices = Array.isArray(json['choices']) ? json['choices'].filter(isJsonObject) : [];
    const choice = choices.find((candidate) => (candidate['index'] ?? 0) === 0);
    // Azure's first chunk has no choices, no id and no model: the next one tells.
    const start = this.#started || choice === undefined ? none : this.#start(json);
    if (start.length === 0) this.#keep(json);
    if (choice === undefined) return start;
    return start.length === 0 ? this.#choiceParts(choice) : [...start, ...this.#choiceParts(choice)];
  }

  /** Runs for every chunk, and hardly any has something to keep. */
  #keep(json: JsonObject): void {
    for (const name in json) if (!noise.has(name)) this.#own[name] = json[name];
  }

  #start(json: JsonObject): readonly StreamPart[] {
    this.#started = true;
    const { id, model, created } = json;
    this.#id = typeof id === 'string' && id !== '' ? id : this.#fallbackId;
    const createdAt = typeof created === 'number' && created > 0 ? created : undefined;
    const own = without(json, noise);
    const metadata = Object.keys(own).length > 0 ? { [chat]: own } : undefined;
    const details = withDefined({ createdAt, metadata });
    return [{ type: 'start', id: this.#id, model: typeof model === 'string' ? model : '', ...details }];
  }

  #choiceParts(choice: JsonObject): readonly StreamPart[] {
    const finish = choice['finish_reason'];
    if (finish !== undefined && finish !== null && finish !== '') this.#last = choice;
    // Azure's asynchronous filter sends choices without a delta.
    const delta = choice['delta'];
    if (!isJsonObject(delta)) return none;
    const logprobs = choice['logprobs'] ?? undefined;
    const texts = textPieces(delta).flatMap((piece) => this.#text(piece, logprobs));
    const calls = callPieces(delta).flatMap((piece) => {
      const parts = this.#calls.add(piece, this.#id, () => this.#blocks.next());
      return parts[0]?.type === 'block-start' ? [...this.#blocks.close(), ...parts] : parts;
    });
    return [...texts, ...this.#beside(delta), ...calls];
  }

  /** Runs for every chunk, and hardly any has something to keep. */
  #beside(delta: JsonObject): readonly StreamPart[] {
    const own = besideText(delta);
    return own === undefined ? none : this.#blocks.text('text', '', { metadata: { [chat]: own } });
  }

  #text({ type, text, metadata }: TextPiece, logprobs: unknown): readonly StreamPart[] {
    const own = { ...metadata?.[chat], ...(logprobs !== undefined && type !== 'thinking' && { logprobs }) };
    const details = Object.keys(own).length > 0 ? { metadata: { [chat]: own } } : {};
    return this.#blocks.text(type, text, details);
  }
}
