// Stream of answers' parts → stream parts. Every chunk has the form of a whole answer; the finish is held until usage can
// no longer come, and calls count for it in whichever chunk they were.

import type { FailureSignal } from '../../canonical/failure.ts';
import type { StreamPart } from '../../canonical/response.ts';
import { StreamJudge } from '../openai/stream-judge.ts';
import { isJsonObject, type JsonObject, parseJson } from '../openai/wire.ts';
import { chat, withDefined } from '../openai-chat/wire.ts';
import { BlockSequence } from '../block-sequence.ts';
import { Judged } from '../judged.ts';
import type { DecodedFrame, StreamDecoder } from '../protocol.ts';
import { readSseEvent } from '../sse-event.ts';
import { type DecodeFacts, firstCandidate, headOf, ownMembers } from './decode-response.ts';
import { readFacts } from './facts.ts';
import { decodeFinish, finishReasonOf } from './finish.ts';
import { decodeLogprobs } from './logprobs.ts';
import { type CallPiece, type Piece, PieceReader, toImageParts } from './pieces.ts';
import { toThinkingSignature } from './signature.ts';
import { blockReasonOf, partsOf, unwrap } from './wire.ts';

const none: readonly StreamPart[] = [];

/** What a frame begins with whose data is a list. */
const listFrame = /^data: ?\[/;

/** Decodes one answer. */
export class GeminiStreamDecoder extends Judged<StreamJudge> implements StreamDecoder {
  readonly #facts: DecodeFacts;
  readonly #pieces: PieceReader;
  #id: string;
  #started = false;
  readonly #blocks = new BlockSequence();
  #reason: string | undefined;
  #own: ReturnType<typeof ownMembers> = {};
  #over = false;

  constructor(facts: DecodeFacts) {
    super(new StreamJudge(readFacts, { hideUsage: true, headers: facts.headers }));
    this.#facts = facts;
    this.#id = facts.fallbackId;
    this.#pieces = new PieceReader(facts.service);
  }

  decode(frame: Buffer): DecodedFrame {
    const { verdict, json, done } = this.judge.read(unwrapFrame(frame));
    if (this.#over) return { verdict, parts: none };
    if (verdict === 'error' && this.error !== undefined) return { verdict, parts: this.#fail(this.error) };
    if (done) return { verdict, parts: this.end() };
    if (json === undefined) return { verdict, parts: none };
    const parts = this.#parts(json);
    // Only reading the parts shows whether a call is one.
    if (this.error !== undefined) return { verdict: 'error', parts: [...parts, ...this.#fail(this.error)] };
    return { verdict, parts };
  }

  end(): readonly StreamPart[] {
    if (this.#over || !this.finished) return none;
    this.#over = true;
    const reason = decodeFinish(this.#reason, this.#pieces.calls > 0);
    const metadata = Object.keys(this.#own).length > 0 ? this.#own : undefined;
    return [...this.#blocks.close(), { type: 'finish', reason, ...withDefined({ usage: this.usage, metadata }) }];
  }

  #fail(signal: FailureSignal): readonly StreamPart[] {
    this.#over = true;
    return [{ type: 'error', signal }];
  }

  #parts(json: JsonObject): readonly StreamPart[] {
    const candidate = firstCandidate(json);
    const blocked = blockReasonOf(json) === undefined ? undefined : 'SAFETY';
    this.#reason = finishReasonOf(candidate) ?? this.#reason ?? blocked;
    this.#own = { ...this.#own, ...ownMembers(json) };
    const start = this.#start(json);
    const logprobs = decodeLogprobs(candidate);
    const pieces = this.#pieces.read(partsOf(candidate), this.#id);
    // They are those of all the text in the chunk.
    const first = pieces.findIndex(({ type }) => type === 'text');
    return [...start, ...pieces.flatMap((piece, at) => this.#piece(piece, at === first ? logprobs : undefined))];
  }

  #start(json: JsonObject): readonly StreamPart[] {
    if (this.#started) return none;
    this.#started = true;
    const { id, model, createdAt } = headOf(json, this.#facts.fallbackId);
    this.#id = id;
    return [{ type: 'start', id, model, ...withDefined({ createdAt, usage: this.usage }) }];
  }

  #piece(piece: Piece, logprobs: JsonObject | undefined): readonly StreamPart[] {
    switch (piece.type) {
      case 'broken':
        this.judge.reject('the answer has a tool call without a name');
        return none;
      case 'tool-call':
        return this.#call(piece);
      case 'image':
        return this.#text('text', '', { images: toImageParts([piece]) });
      case 'text':
      case 'thinking':
        return this.#text(piece.type, piece.text, logprobs === undefined ? undefined : { logprobs });
    }
  }

  /** `own` is for clients of OpenAI, beside the text. */
  #text(type: 'text' | 'thinking', text: string, own: JsonObject | undefined): readonly StreamPart[] {
    const details = own === undefined ? {} : { metadata: { [chat]: own } };
    return this.#blocks.text(type, text, details);
  }

  #call({ id, tool, input, signature, metadata }: CallPiece): readonly StreamPart[] {
    const before = signature === undefined ? none : this.#sign(toThinkingSignature(signature));
    if (signature !== undefined) this.#facts.memory?.remember(id, signature);
    return [...before, ...this.#blocks.call({ id, tool, input, ...metadata })];
  }

  /** The signature of a call is told as that of the thinking before it, which may be silent. */
  #sign(signature: string): readonly StreamPart[] {
    return [...this.#blocks.open('thinking'), ...this.#blocks.close({ signature })];
  }
}

/** Errors may come as a list of one. */
function unwrapFrame(frame: Buffer): Buffer {
  if (!listFrame.test(frame.toString('latin1', 0, 8))) return frame;
  const inner = unwrap(parseJson(readSseEvent(frame).data ?? ''));
  return isJsonObject(inner) ? Buffer.from(`data: ${JSON.stringify(inner)}\n\n`) : frame;
}
